"""Images: IDX files read exactly, refused when damaged; the test split stays the test set."""

from __future__ import annotations

import gzip
import struct
from collections.abc import Callable
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from phasegrok import models, tasks
from phasegrok.config import Images, Mlp
from phasegrok.errors import Refusal
from phasegrok.models.base import Pass
from phasegrok.plan.plan import plan
from phasegrok.sweep.load import load
from phasegrok.tasks.idx import read_idx
from phasegrok.tasks.images import FILES
from phasegrok.train import step
from phasegrok.train.batches import subsets
from phasegrok.train.memory import machine
from phasegrok.train.state import init, make_table

RNG = np.random.default_rng(0)
TRAIN, TEST = RNG.integers(0, 256, (9, 3, 2), np.uint8), RNG.integers(0, 256, (4, 3, 2), np.uint8)
LABELS = np.array([0, 1, 2, 2, 1, 0, 1, 2, 0], np.uint8), np.array([2, 0, 1, 1], np.uint8)


def idx(array: np.ndarray) -> bytes:
    return struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.tobytes()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The four files, one of them packed."""
    for name, array in zip(FILES, (TRAIN, LABELS[0], TEST, LABELS[1]), strict=True):
        (tmp_path / name).write_bytes(idx(array))
    packed = tmp_path / FILES[0]
    (tmp_path / f"{FILES[0]}.gz").write_bytes(gzip.compress(packed.read_bytes()))
    packed.unlink()
    return tmp_path


def test_idx_files_become_a_table(folder: Path) -> None:
    """Every training image once, in another order for another seed; test images after them as they
    are; pixels from 0 to 1 belong to their labels."""
    task = tasks.build(Images(source=str(folder)))
    assert task.size == (9, 4) and (task.features, task.outputs) == (6, 3)
    orders = []
    for seed in (0, 1):
        keys = jax.random.split(jax.random.key(seed))
        table = task.table(keys[0], keys[1])
        image = np.asarray(table.inputs)[:, 0]
        assert sorted(image[:9]) == list(range(9)) and image[9:].tolist() == [9, 10, 11, 12]
        np.testing.assert_array_equal(table.label, np.concatenate(LABELS)[image])
        pixels = np.concatenate([TRAIN, TEST]).reshape(13, 6)[image] / 255
        np.testing.assert_allclose(task.look_up(table.inputs), pixels, rtol=1e-6)
        orders.append(image[:9].tolist())
    assert orders[0] != orders[1]


def test_the_data_not_their_place_is_identity(folder: Path, tmp_path_factory: object) -> None:
    """The same images elsewhere have the same fingerprint; one changed pixel another."""
    here = tasks.build(Images(source=str(folder))).fingerprint()
    again = tasks.build(Images(source=f"{folder}/.")).fingerprint()
    assert here == again
    changed = TEST.copy()
    changed[0, 0, 0] ^= 1
    (folder / FILES[2]).write_bytes(idx(changed))
    assert tasks.build(Images(source=f"{folder}/./.")).fingerprint() != here


def cut(content: bytes) -> bytes:
    return content[:-1]


def other_type(content: bytes) -> bytes:
    return content[:2] + b"\x0d" + content[3:]


def sized(*sizes: int) -> Callable[[bytes], bytes]:
    """Other sizes in the header."""
    return lambda content: content[:4] + struct.pack(">3I", *sizes) + content[16:]


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (cut, ["found 23 bytes of data", "4 x 3 x 2 = 24"]),
        (other_type, ["no IDX header of unsigned bytes in 3 dimensions"]),
        (lambda content: b"", ["no IDX header"]),
        (lambda content: content + b"x", ["found more than 24 bytes of data", "4 x 3 x 2 = 24"]),
        (
            sized(2**31, 2**31, 4),
            ["2147483648 x 2147483648 x 4 = 18446744073709551616 bytes"],
        ),
        (sized(0, 3, 2), ["found 0 x 3 x 2 images or labels; allowed: at least one"]),
    ],
)
def test_damaged_files_are_refused(
    folder: Path, damage: Callable[[bytes], bytes], words: list[str]
) -> None:
    """One line with the file and what is wrong with it."""
    file = folder / FILES[2]
    file.write_bytes(damage(file.read_bytes()))
    with pytest.raises(Refusal) as refusal:
        read_idx(file, 3)
    assert all(word in str(refusal.value) for word in [str(file), *words])


def test_a_packed_file_is_unpacked_no_further_than_its_header_says(folder: Path) -> None:
    """100 MB of zeros behind a header of 24 bytes cost no memory; damage within is refused."""
    import tracemalloc

    bomb = folder / f"{FILES[2]}.gz"
    content = gzip.compress(idx(TEST) + bytes(100 << 20))
    bomb.write_bytes(content)
    tracemalloc.start()
    with pytest.raises(Refusal, match="found more than 24 bytes"):
        read_idx(bomb, 3)
    assert tracemalloc.get_traced_memory()[1] < 8 << 20
    tracemalloc.stop()
    packed = gzip.compress(idx(TRAIN))
    for at in range(10, len(packed)):
        bomb.write_bytes(packed[:at] + bytes([packed[at] ^ 1]) + packed[at + 1 :])
        with pytest.raises(Refusal, match=r"task\.source: "):
            read_idx(bomb, 3)


def test_missing_and_contradictory_files_are_refused(folder: Path) -> None:
    """A broken archive, a missing file, and labels that do not belong to the images."""
    (folder / f"{FILES[0]}.gz").write_bytes(gzip.compress(idx(TRAIN))[:-9])
    with pytest.raises(Refusal, match="damaged"):
        tasks.build(Images(source=f"{folder}/."))
    (folder / f"{FILES[0]}.gz").unlink()
    with pytest.raises(Refusal, match=r"found no train-images-idx3-ubyte or .*gz; allowed: digits"):
        tasks.build(Images(source=str(folder)))
    (folder / FILES[0]).write_bytes(idx(TRAIN[:5]))
    with pytest.raises(Refusal, match="5 train images and 9 labels"):
        tasks.build(Images(source=str(folder)))


def test_digits_train_through_the_engine(tmp_path: Path) -> None:
    """scikit-learn's digits, a ReLU network of four layers: the test set is the split's whatever
    the data fraction, corrupted rows show other labels, and a few steps learn something."""
    file = tmp_path / "digits.yaml"
    file.write_text(
        "name: digits\ntask: {kind: images}\ndata: {data_fraction: 0.2, corruption_fraction: 0.5}\n"
        "model: {kind: mlp, depth: 4, width: 32, activation: relu, initialization: kaiming}\n"
        "loss: cross_entropy\noptimizer: {learning_rate: 0.003}\n"
        "train: {steps: 60, batch_size: 64, log_every: 60}\n"
    )
    grid = plan(load(file), machine())
    program = grid.jobs[0].program
    cell = jax.tree.map(lambda x: jnp.asarray(x[0]), grid.run_params(np.array([0])))
    table = make_table(program, cell)
    size = tasks.of(program.experiment).size
    assert size == (1438, 359) and int(cell.n_train) == 287
    part = np.asarray(subsets(jnp.arange(1797), cell, size))
    assert part.sum(0).tolist() == [287, 359, 143, 144] and part[1438:, 1].all()
    _, record = jax.jit(step.segment, static_argnums=(0, 1))(program, 1, init(program, cell), table)
    assert record["test_accuracy"][0] > 0.3 and np.isnan(record["mean_ipr"][0])
    assert grid.runs["n_corrupted"][0] == 143


def test_a_network_on_features_is_a_product(folder: Path) -> None:
    """W phi(U x) with U stored as (features, width), and no vectors over tokens."""
    task = Images(source=str(folder))
    model = models.build(Mlp(width=5), task)
    params, rest = model.init(jax.random.key(0), jnp.ones(()))
    x = jnp.asarray(RNG.normal(size=(4, 6)), jnp.float32)
    out, _ = model.apply(params, rest, Pass(x, jnp.arange(4)))
    np.testing.assert_allclose(out, (x @ params["u"][...]) ** 2 @ params["w"][...], rtol=1e-5)
    assert list(model.matrices(params)) == ["u", "w"] and not model.vectors(params).input
