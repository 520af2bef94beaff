"""Labelled images with symmetric label corruption (Doshi et al., appendix H and Figure 16)."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from phasegrok.config import Images
from phasegrok.errors import Refusal
from phasegrok.tasks.base import TASKS, Size, Table, Task
from phasegrok.tasks.idx import read_idx

# The names of the files of MNIST and of data sets in its format.
FILES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)


class Data(NamedTuple):
    """Images as bytes, the training split first."""

    pixels: np.ndarray  # (images, features) uint8
    labels: np.ndarray  # (images,) int32
    training: int  # images of the training split
    white: int  # the largest value a pixel may have


@lru_cache(maxsize=8)
def load(source: str) -> Data:
    """The images of a source: ``digits``, or a folder with the four IDX files of MNIST.

    Raises:
        Refusal: a file is missing or damaged; the message says which and how.
    """
    if source == "digits":
        # scikit-learn's 1797 scans of 8 x 8 come without a split: every fifth is a test image.
        from sklearn.datasets import load_digits

        digits = load_digits()
        tested = np.arange(len(digits.target)) % 5 == 4
        order = np.argsort(tested, kind="stable")
        return Data(
            digits.data[order].astype(np.uint8),
            digits.target[order].astype(np.int32),
            int((~tested).sum()),
            16,
        )
    folder = Path(source)
    arrays = [read_idx(find(folder, name), 3 if "images" in name else 1) for name in FILES]
    for images, labels, name in ((arrays[0], arrays[1], "train"), (arrays[2], arrays[3], "t10k")):
        if len(images) != len(labels):
            raise Refusal(
                f"task.source: {folder}: found {len(images)} {name} images and {len(labels)}"
                " labels; allowed: as many labels as images"
            )
    if arrays[0].shape[1:] != arrays[2].shape[1:]:
        raise Refusal(f"task.source: {folder}: training and test images differ in size")
    pixels = np.concatenate([arrays[0], arrays[2]])
    labels = np.concatenate([arrays[1], arrays[3]]).astype(np.int32)
    return Data(pixels.reshape(len(pixels), -1), labels, len(arrays[0]), 255)


def find(folder: Path, name: str) -> Path:
    """The file of this name, packed or not.

    Raises:
        Refusal: there is none.
    """
    for path in (folder / name, folder / f"{name}.gz"):
        if path.is_file():
            return path
    raise Refusal(
        f"task.source: {folder}: found no {name} or {name}.gz; allowed: digits, or a folder with"
        f" the IDX files {', '.join(FILES)}, each as it is or as .gz"
    )


@TASKS.register(Images)
class ImagesTask(Task):
    """Classifying images. A table holds the images' numbers; the images themselves, as bytes, are
    part of the program."""

    config: Images
    input_names: tuple[str, ...] = ("image",)

    def __init__(self, config: Images) -> None:
        self.config = config
        self.data = load(config.source)
        self.size = Size(self.data.training, len(self.data.labels) - self.data.training)
        self.outputs = int(self.data.labels.max()) + 1
        self.features = int(self.data.pixels.shape[1])

    def table(self, order_key: jax.Array, label_key: jax.Array) -> Table:
        """The training split in a seed's order, then the test split as it is; corrupted labels
        uniform over all classes."""
        pool, total = self.size.pool, self.size.total
        image = jnp.arange(total, dtype=jnp.int32)
        shuffled = jax.random.permutation(order_key, image[:pool])
        image = jnp.concatenate([shuffled, image[pool:]])
        corrupted_label = jax.random.randint(label_key, (total,), 0, self.outputs, dtype=jnp.int32)
        return Table(image[:, None], jnp.asarray(self.data.labels)[image], corrupted_label)

    def look_up(self, inputs: jax.Array) -> jax.Array:
        """Pixels from 0 to 1, (rows, features)."""
        pixels = jnp.asarray(self.data.pixels)[inputs[:, 0]]
        return pixels.astype(jnp.float32) / self.data.white

    def fingerprint(self) -> str:
        """Hash of the images and labels: a run is the same wherever they lie."""
        digest = hashlib.sha256(self.data.pixels.tobytes())
        digest.update(self.data.labels.tobytes())
        return digest.hexdigest()[:16]
