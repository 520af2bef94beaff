"""Made-up and damaged inputs of every kind that phasegrok reads, and what may come of them.

An input is accepted or it is a :class:`Refusal`: a printable line a mistake. Nothing else,
nothing written, and not slower than :data:`SLOWEST`. ``benchmarks/fuzz.py`` runs many, the tests
some.
"""

from __future__ import annotations

import copy
import gzip
import io
import json
import random
import struct
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np

from phasegrok.config import PATHS
from phasegrok.errors import Refusal
from phasegrok.files.npz import BadArchive
from phasegrok.models.frozen import saved
from phasegrok.results.folder import Folder
from phasegrok.results.states import load_state
from phasegrok.running.manifest import read_manifest
from phasegrok.sweep.load import load
from phasegrok.tasks.idx import read_idx

SLOWEST: Final = 2.0  # seconds of a core; a busy machine has longer ones
WORDS: Final = ["$", "\udc80", "\x1b[31m", "\n", "1e999", "-1", "0", "NaN", "é", "A" * 5000]
PIECES: Final = [
    b"\0",
    b"\xff",
    b"\x80\x04",
    b"PK\3\4",
    b"{",
    b"[",
    b": ",
    b"- ",
    b"&a",
    b"*a",
    b"!!",
]

Read = Callable[[Path], object]


@dataclass
class Outcome:
    """What a kind of input came to."""

    inputs: int = 0
    accepted: int = 0
    refused: int = 0
    slowest: float = 0.0
    failures: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Kind:
    """One kind of input.

    Attributes:
        make: an input from a generator of random numbers, written below the folder; returns what
            is read.
        read: the public reader.
    """

    make: Callable[[random.Random, Path], Any]
    read: Callable[[Any], object]


def damaged(draw: random.Random, content: bytes) -> bytes:
    """Some bytes flipped, replaced, cut, doubled or put in."""
    data = bytearray(content)
    for _ in range(draw.choice((1, 1, 1, 2, 5))):
        at = draw.randrange(len(data) + 1)
        match draw.randrange(6):
            case 0 if data:
                data[at % len(data)] ^= 1 << draw.randrange(8)
            case 1 if data:
                data[at % len(data)] = draw.randrange(256)
            case 2:
                del data[at:]
            case 3:
                del data[at : at + draw.choice((1, 4, 60))]
            case 4:
                data[at:at] = draw.choice(PIECES)
            case _:
                data[at:at] = data[at : at + draw.choice((1, 8, 64))]
    return bytes(data)


def junk(draw: random.Random, depth: int = 0) -> Any:
    """Any JSON value."""
    plain = [
        None,
        True,
        0,
        -1,
        2**31,
        2**63,
        10**400,
        0.5,
        1e308,
        "full",
        "mlp",
        draw.choice(WORDS),
    ]
    if depth < 3 and draw.random() < 0.3:
        inner = [junk(draw, depth + 1) for _ in range(draw.randrange(4))]
        return inner if draw.random() < 0.5 else {str(value)[:50]: value for value in inner}
    return draw.choice(plain)


def replaced(draw: random.Random, tree: Any) -> Any:
    """A tree in which something is replaced, taken out or put in."""
    tree = copy.deepcopy(tree)
    spot = tree
    while isinstance(spot, dict | list) and spot:
        key = draw.choice(list(spot)) if isinstance(spot, dict) else draw.randrange(len(spot))
        if isinstance(spot[key], dict | list) and draw.random() < 0.7:
            spot = spot[key]
            continue
        if draw.random() < 0.2:
            del spot[key]
        elif isinstance(spot, dict) and draw.random() < 0.2:
            spot[draw.choice([*PATHS, "x", "start"])] = junk(draw)
        else:
            spot[key] = junk(draw)
        break
    return tree


def fuzz(kind: Kind, inputs: int, seed: int, folder: Path) -> Outcome:
    """Try so many inputs of a kind; the same seed gives the same inputs."""
    outcome = Outcome()
    for number in range(inputs):
        draw = random.Random(f"{seed}-{number}")
        target = kind.make(draw, folder)
        before = _files(folder)
        begun = time.process_time()
        said = ""
        try:
            kind.read(target)
            outcome.accepted += 1
        except (Refusal, BadArchive) as refusal:
            outcome.refused += 1
            lines = str(refusal).split("\n")  # a line a mistake, and one that counts the rest
            sound = all(line.isprintable() for line in lines) and len(lines) <= 11
            said = "" if sound else f"no printable lines: {refusal!r}"
        except Exception as error:
            said = f"{type(error).__name__}: {error}"
        spent = time.process_time() - begun
        outcome.slowest = max(outcome.slowest, spent)
        if spent > SLOWEST:
            said = said or f"took {spent:.1f} s"
        if _files(folder) != before:
            said = said or "wrote a file"
        outcome.inputs += 1
        if said:
            outcome.failures.append(f"{seed}-{number}: {said[:200]!a}")
    return outcome


def _files(folder: Path) -> dict[str, tuple[int, int]]:
    """Every file below a folder, its size and time."""
    found = ((path, path.stat()) for path in folder.rglob("*"))
    return {str(path): (stat.st_size, stat.st_mtime_ns) for path, stat in found}


def _written(name: str, content: Callable[[random.Random], bytes]) -> Callable[..., Path]:
    """Writes an input into the file of this name."""

    def make(draw: random.Random, folder: Path) -> Path:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content(draw))
        return path

    return make


def _as_json(tree: Any) -> bytes:
    return json.dumps(tree).encode("utf-8", "surrogatepass")


def idx(array: np.ndarray) -> bytes:
    return struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.tobytes()


def sweep_kinds(text: str, tree: Any) -> Iterator[tuple[str, Kind]]:
    """Sweep files and ``--set``.

    Args:
        text: a sound sweep file.
        tree: the values of one, as JSON, which is YAML.
    """
    yield "sweep bytes", Kind(_written("s.yaml", lambda d: damaged(d, text.encode())), load)
    yield "sweep tree", Kind(_written("t.yaml", lambda d: _as_json(replaced(d, tree))), load)

    def setting(draw: random.Random, folder: Path) -> tuple[Path, str]:
        path = folder / "set.yaml"
        path.write_text(text)
        key = draw.choice(
            [*PATHS, "axes." + draw.choice(list(PATHS)), "seeds", "zip", draw.choice(WORDS)]
        )
        value = _as_json(junk(draw)).decode("utf-8", "surrogatepass")
        return path, f"{key}={draw.choice([value, value, draw.choice(WORDS)])}"

    yield "--set", Kind(setting, lambda made: load(made[0], [made[1]]))


def file_kinds(weights: Path, record: bytes) -> Iterator[tuple[str, Kind]]:
    """Weights, records of runs and IDX files."""
    network, most = weights.read_bytes(), 1 << 20

    def read_weights(path: Path) -> object:
        saved.arrays.cache_clear()
        return saved.arrays(str(path), most)

    def read_record(path: Path) -> object:
        saved.record.cache_clear()
        return saved.record(str(path.with_name("0.npz")))

    def record_file(change: Callable[[random.Random], bytes]) -> Callable[..., Path]:
        make = _written("r/run.json", change)

        def both(draw: random.Random, folder: Path) -> Path:
            path = make(draw, folder)
            path.with_name("0.npz").touch()
            return path

        return both

    images = np.arange(60, dtype=np.uint8).reshape(5, 4, 3)
    yield "weights", Kind(_written("w.npz", lambda d: damaged(d, network)), read_weights)
    yield "run.json bytes", Kind(record_file(lambda d: damaged(d, record)), read_record)
    tree = json.loads(record)
    yield "run.json tree", Kind(record_file(lambda d: _as_json(replaced(d, tree))), read_record)
    yield (
        "IDX",
        Kind(_written("i", lambda d: damaged(d, idx(images))), lambda path: read_idx(path, 3)),
    )
    packed = gzip.compress(idx(images), mtime=0)
    yield (
        "IDX packed",
        Kind(_written("i.gz", lambda d: damaged(d, packed)), lambda path: read_idx(path, 3)),
    )


def folder_kinds(results: Path) -> Iterator[tuple[str, Kind]]:
    """Parts of tables, checkpoints, the manifest and ``--at`` of a result folder; through whatever
    reads them.

    Args:
        results: a finished sweep's folder, which is copied.
    """
    part = next((results / "runs").glob("*.parquet"))
    content = part.read_bytes()

    def one_part(draw: random.Random, folder: Path) -> Path:
        if not (folder / "manifest.json").exists():
            for name in ("manifest.json", "sweep.yaml"):
                (folder / name).write_bytes((results / name).read_bytes())
        _written(f"runs/{part.name}", lambda d: damaged(d, content))(draw, folder)
        return folder

    yield "parts", Kind(one_part, lambda folder: Folder(folder).read("runs"))

    state = io.BytesIO()
    np.savez(
        state, header=np.array('{"part": "x"}'), state_0=np.arange(4), record_a=np.ones((2, 3))
    )

    def checkpoint(draw: random.Random, folder: Path) -> Path:
        path = Folder(folder).checkpoint_path("000-00000")
        path.write_bytes(damaged(draw, state.getvalue()))
        return folder

    yield (
        "checkpoints",
        Kind(checkpoint, lambda f: load_state(Folder(f).checkpoint_path("000-00000"), {})),
    )
    text = (results / "manifest.json").read_bytes()
    manifest = json.loads(text)

    def change(draw: random.Random) -> bytes:
        whole = draw.random() < 0.5
        return damaged(draw, text) if whole else _as_json(replaced(draw, manifest))

    def one_manifest(draw: random.Random, folder: Path) -> Path:
        _written("manifest.json", change)(draw, folder)
        return folder

    yield "manifests", Kind(one_manifest, lambda folder: read_manifest(Folder(folder)))

    def at(draw: random.Random, folder: Path) -> str:
        axis = draw.choice(["weight_decay", "optimizer.weight_decay", "seed", draw.choice(WORDS)])
        return f"{axis}{draw.choice(['=', '=', ''])}{draw.choice([*WORDS, '0', '1.0', ''])}"

    cells = Folder(results).label()
    axes = manifest["axes"]

    def read_at(text: str) -> object:
        from phasegrok.cli.at import chosen_values
        from phasegrok.figures.cells import closeup

        return closeup(cells, axes, chosen_values([text]))

    yield "--at", Kind(at, read_at)


SWEEP: Final = """\
name: sound
task: {kind: modular, modulus: 5}
data: {data_fraction: 0.6, corruption_fraction: 0.2}
model: {width: 6}
optimizer: {learning_rate: 0.02}
train: {steps: 4, log_every: 2}
axes: {optimizer.weight_decay: [0, 1]}
seeds: [0]
measure: {weights: final}
reduced: {train.steps: 2, seeds: [7]}
"""
TREE: Final[Any] = {
    "name": "tree",
    "task": {"kind": "modular", "modulus": 5},
    "model": {"kind": "mlp", "width": 6},
    "train": {"steps": 4, "log_every": 2},
    "variants": {"a": {}, "b": {"model.width": 8}},
    "axes": {
        "data.data_fraction": {"start": 0.1, "stop": 0.9, "num": 5},
        "optimizer.weight_decay": [0, {"start": 0.1, "stop": 10, "num": 3, "scale": "log"}],
    },
    "seeds": [0, 1],
    "measure": {"weights": "final", "steps": [2]},
    "engine": {"chunk": 4},
}
SOURCES: Final = (
    "sweep bytes",
    "sweep tree",
    "--set",
    "weights",
    "run.json bytes",
    "run.json tree",
    "IDX",
    "IDX packed",
    "parts",
    "checkpoints",
    "manifests",
    "--at",
)


class _Quiet:
    """Nobody watches the sound sweep."""

    def note(self, line: str) -> None: ...

    def compiling(self, number: int, of: int) -> None: ...

    def compiled(self) -> None: ...

    def delivered(self, workers: int, chunks: int) -> None: ...

    def skip(self, work: float, runs: int) -> None: ...

    def more(self, work: float, runs: int) -> None: ...

    def advanced(self, work: float, runs: int) -> None: ...


def every_kind(folder: Path) -> Iterator[tuple[str, Kind]]:
    """All kinds of input, made from a sound sweep that is trained into a folder if need be."""
    from phasegrok import running

    file, out = folder / "sound.yaml", folder / "out"
    if not out.exists():
        file.write_text(SWEEP)
        running.run(running.prepare(load(file), out, False), _Quiet())
    weights = next(out.glob("weights/*/4.npz"))
    yield from sweep_kinds(SWEEP, TREE)
    yield from file_kinds(weights, weights.with_name("run.json").read_bytes())
    yield from folder_kinds(out)
