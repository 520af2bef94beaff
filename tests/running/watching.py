"""Running sweeps in tests: a reporter that counts, and interrupts where it is told to."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from phasegrok import running
from phasegrok.running import loop
from phasegrok.sweep.load import Sweep, load


def trained(home: Path, more: str) -> Path:
    """The folder of the tiny sweep and more, trained without an interruption."""
    from tests.conftest import TINY

    (home / "tiny.yaml").write_text(TINY + more)
    start(load(home / "tiny.yaml"), home / "out")
    return home / "out"


def rewrite_manifest(out: Path, manifest: Mapping[str, Any]) -> None:
    """As somebody would by hand: without the checksum, which holds no more."""
    unsealed = {key: value for key, value in manifest.items() if key != "seal"}
    (out / "manifest.json").write_text(json.dumps(unsealed))


class Watch:
    """A reporter that asks to stop after so many calls of the compiled segment."""

    def __init__(self, calls: int | None = None) -> None:
        self.calls, self.trained, self.skipped, self.asked = calls, 0, 0, 0
        self.signals: list[int] = []
        self.notes: list[str] = []
        self.seen: set[tuple[int, int]] = set()

    def note(self, line: str) -> None:
        self.notes.append(line)

    def compiling(self, number: int, of: int) -> None: ...

    def compiled(self) -> None: ...

    def delivered(self, workers: int, chunks: int) -> None:
        self.seen.add((workers, chunks))

    def skip(self, work: float, runs: int) -> None:
        self.skipped += runs

    def more(self, work: float, runs: int) -> None:
        self.asked += runs

    def advanced(self, work: float, runs: int) -> None:
        self.trained += runs
        if self.calls is not None:
            self.calls -= 1
            if self.calls == 0:
                self.signals.append(2)


def start(
    sweep: Sweep,
    out: Path,
    calls: int | None = None,
    extend: bool = False,
    reuse: Sequence[Path] = (),
) -> Watch:
    """Run a sweep, or interrupt it after so many calls. No note may come: nothing is damaged."""
    watch = Watch(calls)
    with pytest.MonkeyPatch.context() as patch:
        session = loop.Session(signals=watch.signals)
        patch.setattr(loop, "Session", lambda: session)
        prepared = running.prepare(sweep, out, False, pytest.fail, extend=extend, reuse=reuse)
        if calls is None:
            running.run(prepared, watch)
        else:
            with pytest.raises(running.Interrupted):
                running.run(prepared, watch)
    assert not watch.notes
    return watch
