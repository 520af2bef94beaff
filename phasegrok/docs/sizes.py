"""sweeps/sizes.csv: how many runs every shipped sweep has, and how long they take."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Final

from phasegrok.errors import Refusal
from phasegrok.plan.layout import Machine
from phasegrok.plan.plan import plan
from phasegrok.running.estimate import reference_time
from phasegrok.sweep.headers import header
from phasegrok.sweep.load import load
from phasegrok.sweep.sizes import Size, sizes_text

__all__ = ["page", "size"]

# Two cores like phasegrok.machine.REFERENCE_CORE, with the memory of a laptop.
MACHINE: Final = Machine("cpu", 2, 16 << 30, 1 << 30, 1e11, 2.0)


def page(sweeps: Path) -> str:
    """The file, of all sweep files of a folder."""
    return sizes_text({path.stem: size(path) for path in sorted(sweeps.glob("*.yaml"))})


def size(path: Path) -> Size:
    """Of one sweep file."""
    smaller = _one(path, True) if header(path).reduced else ()
    return Size(*_one(path, False), *smaller)


def _one(path: Path, reduced: bool) -> tuple[int, float]:
    sweep = load(path, reduced=reduced)
    try:
        planned = plan(sweep, MACHINE)
    except Refusal:  # it reads networks that another sweep saves
        return math.prod(sweep.factors), math.inf
    return len(planned.runs), reference_time(sweep, planned, MACHINE)
