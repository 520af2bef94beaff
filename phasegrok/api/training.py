"""Train a sweep from a script or a notebook, or ask first how long that takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from phasegrok.api.results import Results
from phasegrok.errors import Refusal
from phasegrok.plugins import load as load_plugins

if TYPE_CHECKING:
    from phasegrok.running import Prepared
    from phasegrok.sweep.sweep import Sweep

__all__ = ["Estimate", "estimate", "run"]


def run(
    sweep: Sweep | Mapping[str, Any] | str | Path,
    output: str | Path | None = None,
    *,
    change: Sequence[str] = (),
    reduced: bool = False,
    refine: int | None = None,
    fresh: bool = False,
    extend: bool = False,
    reuse: Sequence[str | Path] = (),
    plugins: Sequence[str | ModuleType] = (),
    progress: bool = True,
) -> Results:
    """Train a sweep, or what is missing of it, and give its results.

    It is what ``phasegrok sweep`` does, pictures apart. The same call resumes.

    Args:
        sweep: a sweep, the path of a sweep file, the name of one that ``phasegrok list`` shows, or
            a mapping with the same keys.
        output: the result folder; ``results/NAME`` by default.
        change: ``KEY=VALUE`` texts, as of ``--set``.
        reduced, refine, fresh, extend, reuse: the options of the command.
        plugins: modules that register tasks, models, optimizers or measurements, or their names.
        progress: whether lines (on a terminal a bar) say how far it is.

    Raises:
        Refusal: something in it is not right; nothing has been written.
        Locked: another process uses the folder.
        KeyboardInterrupt: after everything has been saved.
    """
    from phasegrok import running
    from phasegrok.cli.progress import Progress

    note = print if progress else running.Silent().note
    how: dict[str, Any] = {"fresh": fresh, "extend": extend, "reuse": reuse, "note": note}
    prepared = _prepared(sweep, output, change, reduced, refine, plugins, **how)
    try:
        with Progress(prepared) if progress else running.Silent() as watch:
            running.run(prepared, watch, fresh)
    except running.Interrupted:
        raise KeyboardInterrupt("everything is saved, the same call resumes") from None
    return Results(prepared.folder.path)


@dataclass(frozen=True, repr=False)
class Estimate:
    """What a sweep would train, and how long that takes here.

    Attributes:
        runs: that are not trained yet; of a refinement, those of its next round.
        seconds: until the last of them is published.
        text: what ``phasegrok sweep --plan`` shows: programs, chunks, memory, time.
    """

    runs: int
    seconds: float
    text: str

    def __repr__(self) -> str:
        return self.text


def estimate(
    sweep: Sweep | Mapping[str, Any] | str | Path,
    output: str | Path | None = None,
    *,
    change: Sequence[str] = (),
    reduced: bool = False,
    refine: int | None = None,
    extend: bool = False,
    reuse: Sequence[str | Path] = (),
    plugins: Sequence[str | ModuleType] = (),
    measure: bool = False,
) -> Estimate:
    """What :func:`run` would train, and how long that takes here. Nothing is written.

    Args:
        sweep, output, change, reduced, refine, extend, reuse, plugins: as of :func:`run`.
        measure: whether programs are compiled and tried for a few steps, which takes longer and is
            closer.

    Raises:
        Refusal: something in it is not right.
    """
    from phasegrok import running
    from phasegrok.cli.text import plan_text

    how: dict[str, Any] = {"fresh": False, "extend": extend, "reuse": reuse}
    prepared = _prepared(sweep, output, change, reduced, refine, plugins, **how, note=print)
    found = running.measured_time(prepared) if measure else running.estimated_time(prepared)
    missing = sum(len(chunk.runs) for chunk in prepared.missing())
    return Estimate(missing, found.seconds, plan_text(prepared, found))


def _prepared(
    sweep: Sweep | Mapping[str, Any] | str | Path,
    output: str | Path | None,
    change: Sequence[str],
    reduced: bool,
    refine: int | None,
    plugins: Sequence[str | ModuleType],
    *,
    fresh: bool,
    extend: bool,
    reuse: Sequence[str | Path],
    note: Callable[[str], object],
) -> Prepared:
    """A sweep, checked and laid out in its folder; nothing is written."""
    from phasegrok import running
    from phasegrok.sweep.load import changes_of, home_of, load_mapping
    from phasegrok.sweep.load import load as load_file
    from phasegrok.sweep.shipped import find
    from phasegrok.sweep.sweep import Sweep as SweepType
    from phasegrok.train.devices import use_all_cores

    with suppress(RuntimeError):  # JAX has begun already, and keeps the devices that it has
        use_all_cores()
    load_plugins(plugins)
    changes = changes_of(change, refine)
    if isinstance(sweep, SweepType):
        if changes or reduced:
            raise Refusal(
                "sweep: found one that is checked already; allowed with changes: a file, a dict"
            )
        checked = sweep
    elif isinstance(sweep, Mapping):
        checked = load_mapping(sweep, changes, reduced)
    else:
        checked = load_file(find(str(sweep)), changes, reduced)
    return running.prepare(
        checked,
        Path(output or home_of(checked.name, reduced)),
        fresh,
        note=note,
        extend=extend,
        reuse=[Path(each) for each in reuse],
    )
