"""How large the sweeps are that come with the package: sweeps/sizes.csv, which a command writes."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

__all__ = ["FILE", "Size", "about", "read_sizes", "sizes_text"]

FILE: Final = "sizes.csv"
UNITS: Final = ((86400, "day"), (3600, "h"), (60, "min"), (1, "s"))


class Size(NamedTuple):
    """How many runs a sweep has, and how long they take.

    Attributes:
        runs: of the whole sweep.
        seconds: on two cores like :data:`phasegrok.machine.REFERENCE_CORE`, compiling included;
            infinite where it cannot be counted.
        reduced_runs, reduced_seconds: the same with ``--reduced``; 0 where there is no such block.
    """

    runs: int
    seconds: float
    reduced_runs: int = 0
    reduced_seconds: float = 0.0


def read_sizes(home: Path) -> dict[str, Size]:
    """By name, as they stand beside the sweep files."""
    with (home / FILE).open(newline="", encoding="utf-8") as file:
        return {
            row["name"]: Size(
                int(row["runs"]),
                float(row["seconds"]),
                int(row["reduced_runs"]),
                float(row["reduced_seconds"]),
            )
            for row in csv.DictReader(file)
        }


def sizes_text(sizes: Mapping[str, Size]) -> str:
    """The text of the file."""
    rows = [",".join(("name", *Size._fields))]
    for name, size in sorted(sizes.items()):
        rows.append(
            f"{name},{size.runs},{_three(size.seconds)},{size.reduced_runs},"
            f"{_three(size.reduced_seconds)}"
        )
    return "\n".join(rows) + "\n"


def about(seconds: float) -> str:
    """Seconds as 40 s, 3 min, 1.5 h or 17 days; ``?`` where they are infinite."""
    if not math.isfinite(seconds):
        return "?"
    least, word = next((unit for unit in UNITS if seconds >= 1.5 * unit[0]), UNITS[-1])
    number = seconds / least
    text = f"{number:.0f}" if number >= 5 or least <= 60 else f"{number:.2g}"
    return f"{text} {word}s" if word == "day" else f"{text} {word}"


def _three(seconds: float) -> str:
    """With three digits: the rest is no knowledge."""
    return f"{float(f'{seconds:.3g}'):g}" if math.isfinite(seconds) else "inf"
