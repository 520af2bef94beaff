"""How long sweeps take, against what ``--plan`` said they would: writes benchmarks/ESTIMATES.md.

Each sweep is trained twice in processes of its own: first where no program is kept and nothing is
known of this machine, then again into another folder. ``--only NAME`` trains one, and writes no
page.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

HERE: Final = Path(__file__).resolve().parent
PAGE: Final = HERE / "ESTIMATES.md"
ALLOWED: Final = 1.5
KINDS: Final = ("seconds", "core seconds")
COLUMNS: Final = [f"{turn}: {what}" for turn in ("first", "second") for what in KINDS]
SMALL: Final = ("data.corruption_fraction=[0, 0.3]", "seeds=[0, 1]")
TOKENS: Final = ("task.modulus=31", "data.data_fraction=[0.4, 0.6]", *SMALL)
# Sweep file, and changes with which it takes less than a minute on two cores.
SWEEPS: Final = {
    "MLP": ("quickstart", "train.steps=400", "data.data_fraction=[0.5, 0.9]"),
    "ReLU, dropout": (
        *("relu-dropout", "task.modulus=47", "model.width=256", "train.steps=300", *SMALL),
        *("data.data_fraction=[0.5]", "model.dropout=[0, 0.3]"),
    ),
    "BatchNorm, small batches": (
        *("minibatch-47", "model.normalization=batch", "train.batch_size=64", *SMALL),
        *("data.data_fraction=[0.5]", "train.steps=800"),
    ),
    "Transformer": (
        *("transformer", *TOKENS, "optimizer.weight_decay=[0, 2]", "train.steps=100"),
        *("model.embedding=64", "model.feed_forward=128", "data.data_fraction=[0.5]"),
    ),
    "LSTM": (
        *("transformer", *TOKENS, "optimizer.weight_decay=[0, 2]", "train.steps=100"),
        *("model.kind=lstm", "model.embedding=48", "model.width=48", "model.layers=1"),
        "data.data_fraction=[0.5]",
    ),
    "Parity": ("parity-grokking", "train.epochs=150", "measure.steps=[]"),
}


def once(name: str, out: Path) -> dict[str, Any]:
    """What was said, and what came, of one sweep in this process."""
    from phasegrok.train.devices import use_all_cores

    use_all_cores()
    from phasegrok import running
    from phasegrok.sweep.load import load

    file, *changes = SWEEPS[name]
    prepared = running.prepare(load(HERE.parent / "sweeps" / f"{file}.yaml", changes), out, False)
    running.estimated_time(prepared)  # pays for imports
    begun = time.perf_counter()
    said = running.estimated_time(prepared)
    took = time.perf_counter() - begun
    cores, begun = time.process_time(), time.perf_counter()
    running.run(prepared, running.Silent())
    return {
        "programs": said.programs,
        "runs": len(prepared.plan.runs),
        "said": said.seconds,
        "said_cores": said.cores,
        "real": time.perf_counter() - begun,
        "real_cores": time.process_time() - cores,
        "took": took,
    }


def in_its_own_process(name: str, out: Path, cache: Path) -> dict[str, Any]:
    """:func:`once`, where an earlier call with the same cache may have left something."""
    command = [sys.executable, __file__, "--one", name, "--output", str(out)]
    environment = {**os.environ, "PHASEGROK_COMPILATION_CACHE": str(cache)}
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def row(name: str) -> str:
    """The table's row of a sweep."""
    with tempfile.TemporaryDirectory() as home:
        first, second = (
            in_its_own_process(name, Path(home) / f"out-{turn}", Path(home) / "cache")
            for turn in (1, 2)
        )
    cells = [name, str(first["programs"]), str(first["runs"])]
    for each in (first, second):
        for what in ("", "_cores"):
            said, real = each[f"said{what}"], each[f"real{what}"]
            cells.append(f"{said:.1f} / {real:.1f} = {said / real:.2f}")
    return f"| {' | '.join(cells)} |"


def page(rows: list[str], machine: str) -> str:
    return f"""\
# What `--plan` says, and what came

Machine: {machine}

Seconds that were said / that it took = their ratio, until the last run is published; imports and
pictures come on top. The *first* start knows nothing: its numbers are counted from shapes, at rates
that a probe of 0.2 s finds, and all programs are compiled. The *second* start, into another folder,
knows the rates of the first, and finds its programs compiled. *Core seconds* are those of all cores
together; other processes on a busy machine change them little, while they change seconds a lot.
The aim is a ratio between {1 / ALLOWED:.2f} and {ALLOWED}. Written by
`python benchmarks/estimates.py`.

The constants of planning (`phasegrok/running/rates.py`) were set from these six sweeps on such a
machine: how well they hold for others, or elsewhere, this table does not say.

| sweep | programs | runs | {" | ".join(COLUMNS)} |
|---|---|---|---|---|---|---|
{chr(10).join(rows)}
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--one", choices=SWEEPS, help=argparse.SUPPRESS)
    parser.add_argument("--output", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--only", choices=SWEEPS, help="train this one, and print its row")
    asked = parser.parse_args()
    if asked.one:
        print(json.dumps(once(asked.one, asked.output)))
        return
    if asked.only:
        print(row(asked.only), flush=True)
        return
    from timing import machine_line

    machine, rows = machine_line(os.getloadavg()[0]), []
    for name in SWEEPS:
        rows.append(row(name))
        print(rows[-1], flush=True)
    PAGE.write_text(page(rows, machine))


if __name__ == "__main__":
    main()
