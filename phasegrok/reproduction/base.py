"""A claim, and the tables that it is held against."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import pandas as pd

from phasegrok.analysis.inferred import INFERRED, Grid, grid_of, with_inferred
from phasegrok.analysis.phases import label_cells
from phasegrok.results.folder import Folder

__all__ = ["Claim", "Results", "Verdict", "rows"]

# True, False, or None where a claim holds in part: the numbers say how.
Verdict = bool | None
NOT_RUN: Final = "not run yet"
MANY: Final = 500  # cells: a whole diagram, in which single ones decide nothing


def word(verdict: Verdict) -> str:
    """``yes``, ``no`` or ``in part``."""
    return "in part" if verdict is None else ("yes" if verdict else "no")


@dataclass(frozen=True)
class Claim:
    """One claim of a paper, and what the tables say about it."""

    source: str  # section or figure
    text: str  # what is claimed, in our words
    measured: str  # numbers
    held: Verdict
    rule: str = ""  # when it holds, with its threshold
    also: tuple[tuple[str, Verdict], ...] = ()  # other plausible thresholds, and the verdict there
    why: str = ""  # the reason of a verdict that is not yes; of a yes it is dropped
    weak: str = ""  # why a verdict weighs little, where it does
    tables: str = ""  # what it was measured from
    run: bool = True  # whether the tables are there

    def __post_init__(self) -> None:
        if self.held is True:
            object.__setattr__(self, "why", "")

    @property
    def verdict(self) -> str:
        """``yes``, ``no``, ``in part`` or ``not run yet``."""
        return word(self.held) if self.run else NOT_RUN

    @property
    def cell(self) -> str:
        """The verdict, with those under other thresholds."""
        others = "; ".join(f"{words}: {word(verdict)}" for words, verdict in self.also)
        return f"{self.verdict} ({others})" if others else self.verdict

    @property
    def holds_if(self) -> str:
        """The rule, with a word where its verdict weighs little."""
        if not self.weak:
            return self.rule
        return f"{self.rule}{'; ' if self.rule else ''}weak: {self.weak}"


class Results(dict[str, pd.DataFrame]):
    """The tables of one result folder by name, each read when first asked for."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = Folder(folder)

    def __missing__(self, table: str) -> pd.DataFrame:
        self[table] = self.folder.read(table)
        return self[table]

    @property
    def name(self) -> str:
        return self.folder.path.name

    @property
    def manifest(self) -> dict[str, Any]:
        self.folder.head()  # refuses a folder without results
        return self.folder.manifest() or {}

    @property
    def grid(self) -> Grid | None:
        """What refinement asked for, if there was one."""
        return grid_of((self.folder.manifest() or {}).get("sweep", {}))

    @cached_property
    def complete(self) -> bool:
        """Whether every run of the sweep is in the tables that was asked for."""
        if not (self.folder.manifest_path.exists() and self.folder.parts("runs")):
            return False
        grid = self.grid
        if grid is None:
            return len(self["runs"]) >= self.manifest["runs"]
        _, needed = with_inferred(label_cells(self["runs"], self.folder.head().axes), grid)
        return needed.empty

    def cells(self, axes: list[str]) -> pd.DataFrame:
        """The labelled cells on these axes, with those that refinement infers."""
        cells, grid = label_cells(self["runs"], axes), self.grid
        return cells.assign(**{INFERRED: False}) if grid is None else with_inferred(cells, grid)[0]

    @property
    def single(self) -> bool:
        """Whether a claim rests on single trainings: one seed, and not many cells."""
        manifest = self.manifest
        cells = manifest["runs"] if self.grid else len(self["runs"])  # inferred ones count
        return len(manifest["sweep"]["seeds"]) == 1 and cells < MANY

    @property
    def words(self) -> str:
        """The folder, the size of its networks and its seeds."""
        sweep = self.manifest["sweep"]
        seeds = len(sweep["seeds"])
        parts = [*size(sweep), f"{seeds} seed{'s' if seeds > 1 else ''}"]
        trained, asked = len(self["runs"]) // seeds, self.manifest["runs"] // seeds
        if trained < asked:
            parts.append(f"{trained} of {asked} cells trained, the others inferred")
        return f"`{self.name}`: {', '.join(parts)}"


def rows(
    function: Callable[..., Iterator[Claim]], *results: Results, source: str
) -> Iterator[Claim]:
    """The claims of a function, with the tables that each comes from.

    Args:
        function: from the tables of ``results`` to claims. The first line of its docstring is the
            claim that stands for all of them while a folder is missing or not finished.
        results: folders.
        source: section or figure, for that line.
    """
    missing = [each for each in results if not each.complete]
    if missing:
        text = (function.__doc__ or "").strip().partition("\n")[0].rstrip(".")
        names = ", ".join(f"`{each.name}`" for each in missing)
        yield Claim(source, text, "", None, tables=names, run=False)
        return
    tables = "; ".join(each.words for each in results)
    few = [each.name for each in results if each.single]
    one = "one seed" if len(few) == len(results) else f"one seed in `{'`, `'.join(few)}`"
    for claim in function(*results):
        weak = "; ".join(words for words in (claim.weak, one if few else "") if words)
        yield replace(claim, tables=claim.tables or tables, weak=weak)


def size(sweep: dict[str, Any]) -> list[str]:
    """How large the task and the networks of a resolved sweep are, in words.

    What an axis or a variant changes is given by its range, or left out where it has none.
    """
    swept = {
        path: [f"{v:g}" for v in values if isinstance(v, int | float)]
        for path, values in sweep["axes"].items()
    }
    changed = {path for settings in sweep.get("variants", {}).values() for path in settings}

    def number(letter: str, path: str) -> list[str]:
        block, _, key = path.partition(".")
        value = sweep[block].get(key)
        if value is None or path in changed:
            return []
        values = swept.get(path, [f"{value:g}"])
        return [f"{letter} = {' to '.join(dict.fromkeys((values[0], values[-1])))}"]

    task, model = sweep["task"]["kind"], sweep["model"]["kind"]
    found = {
        "modular": number("p", "task.modulus"),
        "parity": [*number("n", "task.bits"), *number("k", "task.parity_bits")],
    }.get(task, [str(sweep["task"].get("source", task)).rpartition("/")[2]])
    if "model.kind" not in changed:
        found += number("N", "model.width") if model == "mlp" else number("d", "model.embedding")
    return found
