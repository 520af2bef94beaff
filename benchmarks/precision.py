"""What less precise products do to the phases: labels and accuracies against float32.

``python -m benchmarks.precision [--seeds K] [--small] [--coarse] [--whole] [--pretend]`` trains the
same cells with float32, TF32 and bfloat16 products (which a CPU emulates) and writes PRECISION.md
beside this file. The sweeps are kept in ``--output``, by default results/precision: a second start
goes on where the first one ended, and more seeds are added to it.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

import phasegrok
from phasegrok.analysis.compare import ACCURACIES, compare

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
SWEEPS = ROOT / "sweeps"
PRECISIONS = ("float32", "tf32", "bfloat16")
LABELS = ("phase", "subphase")
MOST_LINES = 30  # for runs with other labels
AXES = ["data_fraction", "corruption_fraction", "weight_decay"]


class Grid(NamedTuple):
    """Cells that are trained in every precision."""

    title: str
    sweep: str
    axes: dict[str, list[float]]
    changes: tuple[str, ...] = ()

    def settings(self, precision: str, seeds: int) -> list[str]:
        """Changes of the sweep file for one precision."""
        axes = [f"{path}={values}" for path, values in self.axes.items()]
        return [
            *axes,
            *self.changes,
            f"seeds={list(range(seeds))}",
            f"engine.precision={precision}",
        ]


TWELVE = {
    "data.data_fraction": [0.5, 0.8],
    "data.corruption_fraction": [0.0, 0.2],
    "optimizer.weight_decay": [0, 5, 15],
}
SAMPLE = Grid(
    "a sample of the p = 47 grid",
    "wd-47.yaml",
    TWELVE,
)
SMALL = Grid(
    "a sample at p = 31, N = 96",
    "wd-47.yaml",
    TWELVE,
    ("task.modulus=31", "model.width=96"),
)
COARSE = Grid(
    "every fourth value of the p = 47 grid",
    "wd-47.yaml",
    {
        "data.data_fraction": [0.1, 0.3, 0.5, 0.7, 0.9],
        "data.corruption_fraction": [0.0, 0.2, 0.4, 0.6, 0.8],
    },
)
# By refinement: what is trained lies beside lines between phases, where labels change most easily.
WHOLE = Grid("the p = 47 grid", "wd-47.yaml", {}, ("refine.levels=2",))
# One cell of each phase of Figure 3: Memorization, Coexistence, Partial and Full Inversion.
PHASES = Grid(
    "four phases at p = 97",
    "wd.yaml",
    {
        "data.data_fraction": [0.5],
        "data.corruption_fraction": [0.35],
        "optimizer.weight_decay": [0, 5, 10, 15],
    },
)
PRETEND = Grid(
    "a pretended grid",
    "wd-47.yaml",
    {
        "data.data_fraction": [0.5, 0.8],
        "data.corruption_fraction": [0.0, 0.2],
        "optimizer.weight_decay": [0, 5],
    },
    ("task.modulus=7", "model.width=12", "train.steps=40"),
)


def folder_of(grid: Grid, precision: str, output: Path) -> Path:
    return output / f"{grid.title.replace(' ', '-').replace('=', '')}-{precision}"


def trained(grid: Grid, precision: str, seeds: int, output: Path) -> phasegrok.Results:
    """The results of a grid in one precision, trained where they are not there yet."""
    folder = folder_of(grid, precision, output)
    coarse = folder_of(COARSE, precision, output)
    begins = grid is WHOLE and coarse.exists() and not folder.exists()
    return phasegrok.run(
        SWEEPS / grid.sweep,
        folder,
        change=grid.settings(precision, seeds),
        extend=folder.exists(),
        reuse=[coarse] if begins else [],
    )


def side_by_side(one: pd.DataFrame, other: pd.DataFrame) -> pd.DataFrame:
    """The runs that are in both tables, a row each; columns of the second end with ``_other``."""
    keys = [*AXES, "seed"]
    return one.merge(other, on=keys, suffixes=("", "_other"), validate="one_to_one")


def by_seed(runs: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """Every two seeds of each cell, side by side."""
    for a, b in combinations(sorted(runs["seed"].unique()), 2):
        yield side_by_side(runs[runs["seed"] == a], runs[runs["seed"] == b].assign(seed=a))


def numbers(both: pd.DataFrame) -> str:
    """Columns of the table for runs side by side."""
    same = [f"{(both[name] == both[f'{name}_other']).mean():.1%}" for name in LABELS]
    apart = [(both[name] - both[f"{name}_other"]).abs() for name in ACCURACIES]
    far = [f"{each.mean():.4f} ({each.max():.4f})" for each in apart]
    return " | ".join([f"{len(both)}", *same, *far])


def rows(grid: Grid, found: dict[str, phasegrok.Results]) -> Iterator[str]:
    """A table's row for every precision, and one for other seeds."""
    exact = found["float32"]
    for precision, results in found.items():
        if precision == "float32":
            pairs = list(by_seed(exact.runs))
            if not pairs:
                continue
            what, cells, both = "float32, another seed", "", pd.concat(pairs)
        else:
            against = compare(exact.cells, results.cells, AXES)
            cells = f"{against.cells['same'].mean():.1%} of {len(against.cells)}"
            what, both = precision, side_by_side(exact.runs, results.runs)
        yield f"| {grid.title} | {what} | {cells} | {numbers(both)} |"


def losses(grid: Grid, found: dict[str, phasegrok.Results]) -> str:
    """The smallest and the median final training loss without weight decay, by precision."""
    each = []
    for precision, results in found.items():
        loss = results.runs.loc[results.runs["weight_decay"] == 0, "train_loss"].to_numpy()
        each.append(f"{precision} {np.min(loss):.1e} ({np.median(loss):.1e})")
    return f"- {grid.title}: {', '.join(each)}"


def differing(grid: Grid, found: dict[str, phasegrok.Results]) -> Iterator[str]:
    """Which labels became which, and a line for every run that got another one."""
    for precision in PRECISIONS[1:]:
        both = side_by_side(found["float32"].runs, found[precision].runs)
        other = both[both["subphase"] != both["subphase_other"]]
        changes = other.groupby(["subphase", "subphase_other"], observed=True).size()
        for (before, after), count in changes.items():
            yield f"- {grid.title}, {precision}: {before} became {after}: {count} of {len(both)}"
        for _, run in other.head(MOST_LINES).iterrows():
            yield (
                f"  - alpha {run['data_fraction']:g}, xi {run['corruption_fraction']:g}, weight"
                f" decay {run['weight_decay']:g}, seed {run['seed']}: {run['subphase']} became"
                f" {run['subphase_other']} (training accuracy {run['train_accuracy']:.3f} and"
                f" {run['train_accuracy_other']:.3f}, test {run['test_accuracy']:.3f} and"
                f" {run['test_accuracy_other']:.3f})"
            )
        if len(other) > MOST_LINES:
            yield f"  - and {len(other) - MOST_LINES} more"


def report(grids: list[Grid], seeds: int, output: Path) -> str:
    from phasegrok.train.devices import local_devices

    lines, apart, small = [], list[str](), list[str]()
    for grid in grids:
        found = {each: trained(grid, each, seeds, output) for each in PRECISIONS}
        lines += rows(grid, found)
        apart += differing(grid, found)
        small.append(losses(grid, found))
    device = local_devices()[0]
    emulated = ", products emulated" if device.platform == "cpu" else ""
    head = f"""# Precision

Trained on {device.platform}{emulated}; {seeds} seed{"" if seeds == 1 else "s"}. TF32 rounds the
inputs of every product to 10 bits, bfloat16 to 7; sums are float32. Labels and accuracies are
against the same cells and runs with float32 products: shares with the same label, and mean
(largest) differences of accuracies. Of a refined grid only cells beside lines between phases are
trained; a cell's label is its neighbours' elsewhere. The rows of float32 hold every two seeds of a
cell against each other: so much a label is worth.

| cells | products | same label of a cell | runs in both | same phase | same sub-phase \
| training accuracy | test accuracy |
|---|---|---|---|---|---|---|---|"""
    least = ["The smallest (median) final training loss without weight decay:", "", *small]
    parts = [head, *lines, "", *least, "", *(apart or ["No run got another label."])]
    return "\n".join(parts) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description="Labels by precision.")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--small", action="store_true", help="12 cells of a small network")
    parser.add_argument("--coarse", action="store_true", help="100 cells of p = 47")
    parser.add_argument("--whole", action="store_true", help="all of p = 47 and four phases at 97")
    parser.add_argument("--pretend", action="store_true", help="tiny networks, to try the script")
    parser.add_argument("--output", type=Path, default=ROOT / "results" / "precision")
    args = parser.parse_args()
    asked = [COARSE] * args.coarse + [WHOLE, PHASES] * args.whole + [SMALL] * args.small
    grids = [PRETEND] if args.pretend else asked or [SAMPLE]
    text = report(grids, args.seeds, args.output)
    place = args.output if args.pretend else HERE
    (place / "PRECISION.md").write_text(text)
    sys.stdout.write(text)


if __name__ == "__main__":
    main()
