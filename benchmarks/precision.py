"""What less precise products do to the phases: labels and accuracies against float32.

``python -m benchmarks.precision [--seeds K] [--small] [--whole] [--pretend] [--output FOLDER]``
trains the same cells with float32, TF32 and bfloat16 products (which a CPU emulates) and writes
PRECISION.md beside this file. The sweeps are kept in FOLDER, by default results/precision: a second
start goes on where the first one ended, and more seeds are added to it.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pandas as pd

HERE = Path(__file__).resolve().parent
SWEEPS = HERE.parent / "sweeps"
PRECISIONS = ("float32", "tf32", "bfloat16")
ACCURACIES = ("train_accuracy", "test_accuracy")


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
WHOLE = Grid("the p = 47 grid", "wd-47.yaml", {})
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


def trained(grid: Grid, precision: str, seeds: int, output: Path) -> pd.DataFrame:
    """The table of runs of a grid in one precision, trained where it is not there yet."""
    from phasegrok.cli.progress import Progress
    from phasegrok.running import prepare, run
    from phasegrok.sweep.load import load

    folder = output / f"{grid.title.replace(' ', '-').replace('=', '')}-{precision}"
    sweep = load(SWEEPS / grid.sweep, grid.settings(precision, seeds))
    prepared = prepare(sweep, folder, False, extend=folder.exists())
    if prepared.missing():
        with Progress(prepared) as watch:
            run(prepared, watch)
    return pd.read_parquet(folder / "runs")


def compared(exact: pd.DataFrame, other: pd.DataFrame) -> dict[str, float]:
    """How far the runs of one precision are from those of float32."""
    keys = ["data_fraction", "corruption_fraction", "weight_decay", "seed"]
    both = exact.merge(other, on=keys, suffixes=("", "_other"), validate="one_to_one")
    found: dict[str, float] = {
        "runs": len(both),
        "phase": float((both["phase"] == both["phase_other"]).mean()),
        "subphase": float((both["subphase"] == both["subphase_other"]).mean()),
    }
    for name in ACCURACIES:
        apart = (both[name] - both[f"{name}_other"]).abs()
        found[name], found[f"{name}_most"] = float(apart.mean()), float(apart.max())
    return found


def rows(grid: Grid, tables: dict[str, pd.DataFrame]) -> Iterator[str]:
    """A table's row for every precision."""
    for precision, table in tables.items():
        found = compared(tables["float32"], table)
        plain = table[table["weight_decay"] == 0]["train_loss"]
        each = " | ".join(f"{found[n]:.4f} ({found[f'{n}_most']:.4f})" for n in ACCURACIES)
        yield (
            f"| {grid.title} | {precision} | {found['runs']:.0f} | {found['phase']:.1%}"
            f" | {found['subphase']:.1%} | {each} | {plain.min():.1e} ({plain.median():.1e}) |"
        )


def differing(grid: Grid, tables: dict[str, pd.DataFrame]) -> Iterator[str]:
    """A line for every run that got another label."""
    keys = ["data_fraction", "corruption_fraction", "weight_decay", "seed"]
    for precision in PRECISIONS[1:]:
        both = tables["float32"].merge(tables[precision], on=keys, suffixes=("", "_other"))
        for _, run in both[both["subphase"] != both["subphase_other"]].iterrows():
            yield (
                f"- {grid.title}, {precision}: alpha {run['data_fraction']:g}, xi"
                f" {run['corruption_fraction']:g}, weight decay {run['weight_decay']:g}, seed"
                f" {run['seed']}: {run['subphase']} became {run['subphase_other']} (training"
                f" accuracy {run['train_accuracy']:.3f} and {run['train_accuracy_other']:.3f}, test"
                f" {run['test_accuracy']:.3f} and {run['test_accuracy_other']:.3f})"
            )


def report(grids: list[Grid], seeds: int, output: Path) -> str:
    from phasegrok.train.devices import local_devices

    device = local_devices()[0]
    emulated = ", products emulated" if device.platform == "cpu" else ""
    lines, apart = [], list[str]()
    for grid in grids:
        tables = {each: trained(grid, each, seeds, output) for each in PRECISIONS}
        lines += rows(grid, tables)
        apart += differing(grid, tables)
    head = f"""# Precision

Trained on {device.platform}{emulated}; {seeds} seed{"" if seeds == 1 else "s"}. TF32 rounds the
inputs of every product to 10 bits, bfloat16 to 7; sums are float32. Labels and accuracies are
against the same runs with float32 products: shares of runs with the same label, and mean (largest)
differences of accuracies. The last column is the smallest (median) final training loss without
weight decay, where losses become smallest.

| cells | products | runs | same phase | same sub-phase | training accuracy | test accuracy \
| final loss |
|---|---|---|---|---|---|---|---|"""
    return "\n".join([head, *lines, "", *(apart or ["No run got another label."])]) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description="Labels by precision.")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--small", action="store_true", help="12 cells of a small network")
    parser.add_argument("--whole", action="store_true", help="all of p = 47 and four phases at 97")
    parser.add_argument("--pretend", action="store_true", help="tiny networks, to try the script")
    parser.add_argument("--output", type=Path, default=HERE.parent / "results" / "precision")
    args = parser.parse_args()
    from phasegrok.train.devices import use_all_cores

    use_all_cores()
    grids = [WHOLE, PHASES] if args.whole else [SMALL] if args.small else [SAMPLE]
    grids = [PRETEND] if args.pretend else grids
    text = report(grids, args.seeds, args.output)
    place = args.output if args.pretend else HERE
    (place / "PRECISION.md").write_text(text)
    sys.stdout.write(text)


if __name__ == "__main__":
    main()
