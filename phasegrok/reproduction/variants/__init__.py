"""Claims of Doshi et al. on normalization, losses, activations, widths and architectures.

Section 2.2, Figures 5 and 7, and appendices F, G, H, M, N, O and P.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from phasegrok.reproduction.base import Claim, Results
from phasegrok.reproduction.variants import (
    deep,
    images,
    losses,
    normalization,
    transformers,
    widths,
)

__all__ = ["claims"]


def claims(root: Path) -> Iterator[Claim]:
    """Every claim whose results are under ``root``, in the paper's order."""

    def results(name: str) -> Results:
        return Results(root / name)

    yield from normalization.normalization_weights(results("batchnorm-weights"))
    yield from normalization.normalization(results("normalization"))
    yield from transformers.transformer(results("transformer"))
    yield from deep.deep(results("mlp3"))
    yield from transformers.configurations(results("transformer-configurations"))
    yield from transformers.transformer_dropout(results("transformer-dropout"))
    yield from deep.parametrizations(results("mlp3-parametrizations"))
    yield from deep.deep_batchnorm(results("mlp3-batchnorm"))
    yield from images.images(results("mnist"), results("mnist-dropout"), "10,000 digits of MNIST")
    yield from images.images(results("images"), results("images-dropout"), "scikit-learn's digits")
    small = results("quickstart")
    yield from losses.cross_entropy(
        results("cross-entropy"), results("cross-entropy-dropout"), small
    )
    yield from losses.relu(results("relu-wd"), results("relu-dropout"), small)
    yield from widths.wide(results("wide-wd"), small)
    for name in ("wide-relu-wd", "wide-relu-fast"):
        yield widths.wide_relu(results(name), results("relu-wd"))
    yield from losses.multiplication(results("multiplication"), small)
