"""A small sweep with every kind of file, and the ways in which files get damaged.

Also used by ``benchmarks/faults.py``, which does the same a thousand times.
"""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from phasegrok import running
from phasegrok.plan import layout
from phasegrok.sweep.load import Sweep, load
from tests.running.watching import Watch

SWEEP = """\
name: damaged
task: {kind: modular, modulus: 7}
model: {width: 12}
optimizer: {learning_rate: 0.02}
train: {steps: 40, log_every: 10}
axes: {data.data_fraction: [0.3, 0.8], optimizer.weight_decay: [0, 1, 2]}
engine: {chunk: 2, checkpoint_every: 1.0e-9}
measure: {spectra: true, weights: final}
"""
RESULTS = ("manifest.json", "sweep.yaml", "cells.parquet", "boundaries.parquet")


def make(home: Path) -> tuple[Sweep, Path]:
    """The sweep, and its finished folder below ``home``."""
    (home / "damaged.yaml").write_text(SWEEP)
    sweep = load(home / "damaged.yaml")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(layout, "CALL_SECONDS", 1e-9)  # a checkpoint after each interval
        running.run(running.prepare(sweep, home / "whole", False), Watch())
    return sweep, home / "whole"


def result_files(folder: Path) -> list[Path]:
    """Every file of results, as paths below the folder."""
    files = [*folder.glob("*/*.parquet"), *folder.glob("weights/*/*")]
    return sorted(path.relative_to(folder) for path in files) + [Path(name) for name in RESULTS]


def empty(content: bytes, chance: random.Random) -> bytes:
    return b""


def cut(content: bytes, chance: random.Random) -> bytes:
    return content[: chance.randrange(len(content))]


def flipped(content: bytes, chance: random.Random) -> bytes:
    place = chance.randrange(len(content))
    return (
        content[:place] + bytes([content[place] ^ 1 << chance.randrange(8)]) + content[place + 1 :]
    )


def zeros(content: bytes, chance: random.Random) -> bytes:
    """A block that never came to the disk."""
    start = chance.randrange(len(content))
    end = min(len(content), start + 512)
    return content[:start] + bytes(end - start) + content[end:]


def foreign(content: bytes, chance: random.Random) -> bytes:
    return chance.choice([b"[1]", b"{}", b"PAR1PAR1", b"PK\5\6" + bytes(18), b"hello\n" * 99])


def missing(content: bytes, chance: random.Random) -> None:
    return None


Damage = Callable[[bytes, random.Random], bytes | None]
WAYS: dict[str, Damage] = {
    each.__name__: each for each in (empty, cut, flipped, zeros, foreign, missing)
}


def damage(path: Path, way: str, chance: random.Random) -> None:
    content = WAYS[way](path.read_bytes(), chance)
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content)


def swap(folder: Path, table: str) -> None:
    """Two parts of a table exchange their names."""
    first, second, *_ = sorted((folder / table).glob("*.parquet"))
    content = first.read_bytes()
    first.write_bytes(second.read_bytes())
    second.write_bytes(content)


def copied(whole: Path, to: Path) -> Path:
    shutil.rmtree(to, ignore_errors=True)
    return Path(shutil.copytree(whole, to))


def differences(folder: Path, whole: Path) -> list[str]:
    """Which results are not those of the other folder, bit for bit."""
    found = []
    for table in ("runs", "curves", "neurons", "cells.parquet", "boundaries.parquet"):
        a, b = (pd.read_parquet(each / table) for each in (folder, whole))
        if not a.equals(b):
            found.append(table)
    for path in sorted(whole.glob("weights/*/*")):
        mine = folder / path.relative_to(whole)
        if path.suffix == ".npz":
            with np.load(path) as theirs, np.load(mine) as ours:
                same = theirs.files == ours.files and all(
                    np.array_equal(theirs[name], ours[name]) for name in theirs.files
                )
        else:
            same = path.read_bytes() == mine.read_bytes()
        if not same:
            found.append(str(mine))
    return found
