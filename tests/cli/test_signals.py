"""Every signal that a person or a cluster sends, at every phase: an exit code, and nothing lost."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from tests.cli.phases import LONG_INTERVAL, SHORT, SWEEP, UNTOUCHED, Case, Phases
from tests.thorough import some

TABLES = ("runs", "curves", "neurons", "cells.parquet")


@pytest.fixture(scope="module")
def phases() -> Iterator[Phases]:
    server = Phases({**os.environ, "JAX_DISABLE_MOST_OPTIMIZATIONS": "1"})
    yield server
    server.close()


@pytest.fixture(scope="module")
def whole(phases: Phases, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sweep file beside the results of uninterrupted runs."""
    where = tmp_path_factory.mktemp("sweep")
    (where / "tiny.yaml").write_text(SWEEP)
    # What comes before the imports needs a process that has not imported yet.
    for case in SHORT:
        if case.moment == "importing":
            check(case, phases, where, where / "never")
            assert not (where / "never").exists()
    for name, sets in (("out", ()), ("long", LONG_INTERVAL)):
        done = phases.run(UNTOUCHED, where / "tiny.yaml", *sets, "--output", where / name)
        assert done.code == 0, done.stderr
    return where


def check(case: Case, phases: Phases, where: Path, out: Path) -> None:
    sets = LONG_INTERVAL if case.split else ()
    ended = phases.run(case, where / "tiny.yaml", *sets, "--output", out)
    assert ended.code == case.code, (ended, case)
    assert "Traceback" not in ended.stderr and "Exception ignored" not in ended.stderr
    lines = ended.stderr.splitlines()
    assert lines[0].startswith(f"{case.signals[0]}: ") and 1 <= len(lines) <= 3, lines
    assert not list(out.rglob("*.tmp"))
    lock = out / ".lock"
    assert not lock.exists() or not lock.read_text().strip(), "the folder was not let go of"


@pytest.mark.parametrize(
    "case", some((c for c in SHORT if c.moment != "importing"), {3, 5, 8}), ids=str
)
def test_a_signal_loses_nothing(case: Case, phases: Phases, whole: Path, tmp_path: Path) -> None:
    """The exit code says who asked; one line for each signal that counted and one at the end, no
    half file, no holder; the same command then ends in an uninterrupted sweep's tables, bit for
    bit. Inside a long interval there is a checkpoint after the first signal."""
    out = tmp_path / "out"
    check(case, phases, whole, out)
    if len(case.signals) == 1 and case.moment in ("training", "inside an interval"):
        assert list(out.glob(".checkpoint-*"))
    if len(case.signals) > 1 and case.moment == "training":
        assert not list(out.glob(".checkpoint-*")), "the second signal waited for the first"
    if case.moment == "planning":
        assert not out.exists()
        return
    sets = LONG_INTERVAL if case.split else ()
    again = phases.run(UNTOUCHED, whole / "tiny.yaml", *sets, "--no-figures", "--output", out)
    assert again.code == 0, again.stderr
    for table in TABLES:
        pd.testing.assert_frame_equal(
            pd.read_parquet(out / table),
            pd.read_parquet(whole / ("long" if case.split else "out") / table),
            check_exact=True,
        )
    assert not list(out.glob(".checkpoint-*"))
