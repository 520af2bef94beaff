"""What the commands say in plain text: the plan, how far a sweep is, what was written."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from phasegrok.config import column
from phasegrok.errors import counted
from phasegrok.machine import slowdown

if TYPE_CHECKING:
    from phasegrok.plan.layout import Job
    from phasegrok.running import Estimate, Prepared
    from phasegrok.running.audit import Audit
    from phasegrok.running.follow import Chunk

__all__ = [
    "FIRST_STEPS",
    "audit_text",
    "boundaries_text",
    "duration",
    "plan_text",
    "rounding_text",
    "saving_text",
    "written_text",
]

FIRST_STEPS = """\
First steps:
  phasegrok sweep quickstart           all six phases in two minutes
  phasegrok list                       the sweeps of the papers' figures
  phasegrok keys                       everything that a sweep file may hold
  phasegrok new mine --from wd         a sweep file of your own
  phasegrok sweep mine.yaml --plan     what it will train, and how long that takes
"""
# Final losses below it were up to 2.7 times float32's or as much less, above it within 8 % in 98 of
# 100 runs.
ROUNDED_LOSS = 1e-4
NOTED = 1.25  # times as long, beside other processes, is worth a line
PLAN_COLUMNS = "program  examples  runs  chunks x cells  steps  parameters  non-embedding  memory"


def duration(seconds: float) -> str:
    """Seconds as 42 s, 3 min 20 s or 2 h 05 min."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def plan_text(prepared: Prepared, estimate: Estimate | None = None) -> str:
    """The plan in a few lines; with an estimate, in full."""
    left = prepared.missing()
    lines = list(_summary(prepared, left))
    if not (left or prepared.sweep.refine.levels):
        return "\n".join([*lines, "nothing is left to train"])
    if estimate is not None:
        lines += ["", *_programs(prepared), ""]
        lines.append(
            f"estimated time on this machine: {duration(estimate.seconds)} ({estimate.how})"
        )
        longer = slowdown() if prepared.machine.platform == "cpu" else 1.0
        if longer > NOTED and estimate.seconds:
            lines.append(
                f"other processes are busy here: {duration(longer * estimate.seconds)} if they"
                " stay so"
            )
    return "\n".join(lines)


def _summary(prepared: Prepared, left: Sequence[Chunk]) -> Iterator[str]:
    """How much is trained, on what, and what is there already."""
    plan, jobs, here = prepared.plan, prepared.plan.jobs, prepared.machine
    from phasegrok.sweep.zipped import followers

    behind = {column(path) for path in followers(prepared.sweep.zipped)}
    count = {axis: plan.runs[axis].nunique() for axis in plan.axes if axis not in behind}
    several = {"variant": "variants"} if count.get("variant", 1) > 1 else {}
    axes = " x ".join(f"{n} {several.get(a, a)}" for a, n in count.items()) or "one cell"
    seeds = counted(plan.runs["seed"].nunique(), "seed")
    yield f"{prepared.sweep.name}: {len(plan.runs)} runs = {axes} x {seeds}"
    chunks = len(prepared.chunks)
    one = f" ({plan.waste(one_group=True):.1%} as one group)" if len(jobs) > 1 else ""
    mapping = "/".join(sorted({job.layout.mapping for job in jobs})) or "none"
    devices = counted(here.devices, f"{here.platform} device")
    if left:
        yield (
            f"{counted(len(jobs), 'program')}, {counted(chunks, 'chunk')}, mapping {mapping} on"
            f" {devices}, padding waste {plan.waste():.1%}{one}"
        )
    total, taken = len(plan.runs), prepared.manifest.taken.values()
    for source in dict.fromkeys(each.folder for each in taken):
        number = sum(len(each.runs) for each in taken if each.folder == source)
        yield f"{number} of {total} runs taken from {source}"
    if prepared.sweep.refine.levels:
        begun = len(prepared.manifest.held())
        coarse = 2**prepared.sweep.refine.levels
        yield (
            f"refined from every {coarse}th value: {begun} of {total} runs are asked for by now;"
            " later rounds add runs, and time, between phases that differ"
        )
    if prepared.resumes:
        held = len(prepared.manifest.held())
        runs = held - sum(len(chunk.runs) for chunk in left)
        of_chunks = f" ({chunks - len(left)} of {chunks} chunks)" if 0 < len(left) < chunks else ""
        word = "extends" if prepared.extends else "resumes"
        yield f"{word} {prepared.folder.path}: {runs} of {held} runs are done{of_chunks}"


def _programs(prepared: Prepared) -> Iterator[str]:
    """A table with a line for every program."""
    named = "variant" in prepared.plan.axes
    yield f"{PLAN_COLUMNS:<86}variants" if named else PLAN_COLUMNS
    for number, job in enumerate(prepared.plan.jobs):
        runs = prepared.plan.runs.iloc[job.runs]
        yield _program(number, job, list(runs["variant"].unique()) if named else [])


def _program(number: int, job: Job, variants: Sequence[str]) -> str:
    from phasegrok import models
    from phasegrok.train.memory import measured_bytes

    model = models.of(job.program.experiment)
    memory = f"{measured_bytes(job, job.layout.chunk) / 2**20:.0f} MiB"
    return (
        f"{number:7d}  {job.program.rows:8d}  {len(job.runs):4d}"
        f"  {len(job.chunks()):6d} x {job.layout.chunk:<5d}  {job.program.steps:5d}"
        f"  {models.parameters(model):10d}"
        f"  {models.parameters(model, embeddings=False):13d}"
        f"  {memory:<12}{', '.join(variants)}".rstrip()
    )


def audit_text(found: Audit) -> str:
    """What ``status --verify`` found."""
    size = f"{found.found.size / 1e6:.1f} MB"
    lines = [f"verified {counted(found.found.files, 'file')} ({size}), of {found.done} runs"]
    lines += found.notes
    if found.found.damage:
        lines.append("nothing was changed; the sweep's own command does what the notes say")
    else:
        lines.append("all are whole")
    if found.trained:
        again = f"trained {counted(found.trained, 'run')} again: "
        if found.same:
            lines.append(f"{again}every number and label is the same")
        else:
            shares = [most for name, most in found.differ.items() if name.endswith("_accuracy")]
            columns = counted(len(found.differ), "column")
            lines.append(
                f"{again}numbers differ in {columns}, accuracies by at most"
                f" {max(shares, default=0.0):.2g};"
                f" {counted(len(found.labels), 'run')} got another label"
            )
            if not found.alike:
                lines.append(
                    "another kind of processor or JAX began this folder: numbers agree to rounding"
                    " only, and so do labels of cells at a boundary"
                )
    return "\n".join(lines)


def saving_text(cells: pd.DataFrame) -> str:
    """How many cells refinement trained, and how many it did not have to."""
    inferred = int(cells["inferred"].sum())
    trained = len(cells) - inferred
    return (
        f"trained {trained} of {len(cells)} cells ({trained / len(cells):.0%});"
        f" {inferred} are inferred from their neighbours (small letters)"
    )


def rounding_text(sweep: Mapping[str, Any], cells: pd.DataFrame) -> str:
    """A warning where a final loss is so small that products of less precision decide it; empty
    where there is none.

    Args:
        sweep: the resolved sweep.
        cells: its table of cells.
    """
    precision = sweep.get("engine", {}).get("precision", "float32")
    if precision == "float32" or "train_loss" not in cells:
        return ""
    low = int((cells["train_loss"] < ROUNDED_LOSS).sum())
    if not low:
        return ""
    return (
        f"note: {counted(low, 'cell')} ended with a training loss below {ROUNDED_LOSS:g}, where"
        f" {precision} products changed it by up to a factor of 2.7 where that was tried"
        " (docs/performance.md); for such losses keep engine.precision: float32"
    )


def written_text(folder: Path, files: Sequence[Path]) -> str:
    """Where a finished sweep's tables and pictures are, in two lines."""
    tables = f"tables   {folder}/runs, curves, cells.parquet"
    pictures = ", ".join(str(p.relative_to(folder)) for p in files if p.suffix == ".png")
    if not pictures:
        return f"{tables}\nfigures  not drawn; phasegrok figures {folder} draws them"
    return f"{tables}\nfigures  {folder}/{pictures} (and PDF)"


WHERE = (
    "where networks begin to generalize, and where they stop, as VALUE: POSITION±HALF of the gap"
    " between the cells on both sides; never: values at which nothing changes"
)


def _places(rows: pd.DataFrame) -> Iterator[str]:
    """Positions by value, where networks begin to generalize and where they stop; then the values
    that have none."""
    from phasegrok.analysis.boundaries import GENERALIZES

    known = rows[rows["position"].notna()]
    begins = known["above"] == GENERALIZES
    for word, part in (("begins", known[begins]), ("stops", known[~begins])):
        places = part[["at", "position", "half_width"]].astype("float64").to_numpy().tolist()
        each = [
            f"{'' if math.isnan(at) else f'{at:g}: '}{position:.3g}±{half:.2g}"
            for at, position, half in places
        ]
        if each:
            yield "  ".join([word, *each])
    without = rows.loc[rows["position"].isna(), "at"].astype("float64")
    if len(without):
        yield " ".join(["never ", ", ".join(f"{at:g}" for at in without.dropna())]).strip()


def boundaries_text(table: pd.DataFrame, axes: Sequence[str]) -> str:
    """Where networks begin to generalize, and stop: every row's position, by slice and axis."""
    from phasegrok.analysis.boundaries import of_generalization
    from phasegrok.figures.layout import groups, words

    slices = [name for name in axes if name in table and name not in ("along", "at")]
    rows = of_generalization(table)
    lines = [WHERE] if len(rows) else []
    for along, part in rows.groupby("along", sort=False):
        for name, one in groups(part, slices):
            title = f"{name}, " if name else ""
            lines.append(f"{title}along {words(str(along))}:")
            lines += [f"  {each}" for each in _places(one)]
    with_one = {name for name, _ in groups(rows, slices)}
    without = [name for name, _ in groups(table, slices) if name not in with_one]
    lines += [f"{name}: no boundary of generalization" for name in without if name]
    return "\n".join(lines) or "no boundary of generalization"
