"""Baseline: the usual sequential, eager PyTorch training of one grokking network on the CPU.

This is the loop a reader of the paper would write without phasegrok: one cell of the phase
diagram at a time, dense one-hot inputs, no compilation. It is here to be timed against, and as
an independent implementation to compare accuracies with.

Source of the method: D. Doshi, A. Das, T. He, A. Gromov, "To grok or not to grok: Disentangling
generalization and memorization on corrupted algorithmic datasets", ICLR 2024, arXiv:2310.13061.
Modular addition, two bias-free layers with a quadratic activation, mean squared error, full-batch
AdamW.

Run ``python benchmarks/baseline_torch.py`` to print milliseconds per step.
"""

from __future__ import annotations

import math
import statistics
import sys
import time
from collections.abc import Callable
from typing import NamedTuple

try:
    import torch
    from torch import Tensor, nn
except ModuleNotFoundError as error:
    if error.name != "torch":
        raise
    print("baseline_torch: PyTorch is not installed; try: pip install torch", file=sys.stderr)
    raise SystemExit(2) from None

LEARNING_RATE = 0.01
BETAS = (0.9, 0.98)
EPSILON = 1e-8


class Split(NamedTuple):
    """One-hot inputs (rows x 2p, float32) and integer labels of both parts of the data."""

    train_inputs: Tensor
    train_labels: Tensor
    test_inputs: Tensor
    test_labels: Tensor


class QuadraticMLP(nn.Module):
    """Linear, optional dropout, square, linear; no biases (arXiv:2310.13061).

    Both layers start from a normal distribution of variance (16 N)^(-2/3), N the width. Dropout
    acts on the pre-activation.
    """

    def __init__(
        self, modulus: int, width: int, dropout: float, generator: torch.Generator
    ) -> None:
        super().__init__()
        self.hidden = nn.Linear(2 * modulus, width, bias=False)
        self.dropout: nn.Module = nn.Dropout(dropout) if dropout > 0.0 else nn.Identity()
        self.output = nn.Linear(width, modulus, bias=False)
        std = (16 * width) ** (-1.0 / 3.0)
        nn.init.normal_(self.hidden.weight, std=std, generator=generator)
        nn.init.normal_(self.output.weight, std=std, generator=generator)

    def forward(self, inputs: Tensor) -> Tensor:
        """Return the p outputs of every row."""
        preactivation: Tensor = self.dropout(self.hidden(inputs))
        outputs: Tensor = self.output(preactivation.square())
        return outputs


def make_split(
    data_fraction: float,
    corruption_fraction: float,
    modulus: int,
    generator: torch.Generator,
) -> Split:
    """Split the p^2 pairs and corrupt the first training labels (arXiv:2310.13061).

    The training part has floor(alpha p^2) pairs, of which floor(xi n_train) get a label drawn
    uniformly over all p classes (the true one included). Test labels are always true.
    """
    if not 0.0 < data_fraction <= 1.0:
        raise ValueError(f"data_fraction must be in (0, 1], got {data_fraction}")
    if not 0.0 <= corruption_fraction <= 1.0:
        raise ValueError(f"corruption_fraction must be in [0, 1], got {corruption_fraction}")
    n_pairs = modulus * modulus
    n_train = math.floor(data_fraction * n_pairs)
    if n_train == 0:
        raise ValueError(f"data_fraction {data_fraction} leaves no training example")
    n_corrupted = math.floor(corruption_fraction * n_train)

    order = torch.randperm(n_pairs, generator=generator)
    random_labels = torch.randint(modulus, (n_pairs,), generator=generator)
    left = order // modulus
    right = order % modulus
    inputs = torch.cat(
        [nn.functional.one_hot(left, modulus), nn.functional.one_hot(right, modulus)], dim=1
    ).float()
    labels = (left + right) % modulus
    labels[:n_corrupted] = random_labels[:n_corrupted]
    # Clones, so that no part keeps the whole table alive.
    return Split(
        inputs[:n_train].clone(),
        labels[:n_train].clone(),
        inputs[n_train:].clone(),
        labels[n_train:].clone(),
    )


def make_step(
    model: QuadraticMLP, split: Split, modulus: int, weight_decay: float
) -> Callable[[], None]:
    """Return a function that makes one full-batch AdamW update (arXiv:2310.13061).

    The loss is the mean, over examples and over the p outputs, of the squared distance to the
    one-hot label. Weight decay is decoupled and multiplied by the learning rate.
    """
    targets = nn.functional.one_hot(split.train_labels, modulus).float()
    loss_function = nn.MSELoss()
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=LEARNING_RATE, betas=BETAS, eps=EPSILON, weight_decay=weight_decay
    )

    def step() -> None:
        optimizer.zero_grad()
        loss = loss_function(model(split.train_inputs), targets)
        loss.backward()
        optimizer.step()

    return step


def accuracy(model: QuadraticMLP, inputs: Tensor, labels: Tensor) -> float:
    """Return the fraction of rows whose largest output is the label; NaN without rows."""
    if len(labels) == 0:
        return math.nan
    was_training = model.training
    model.eval()
    with torch.no_grad():
        hits = (model(inputs).argmax(dim=1) == labels).double().mean().item()
    model.train(was_training)
    return float(hits)


def train(
    data_fraction: float,
    corruption_fraction: float,
    weight_decay: float,
    steps: int,
    dropout: float = 0.0,
    seed: int = 0,
    modulus: int = 97,
    width: int = 500,
) -> dict[str, float]:
    """Train one network and return its final accuracies (arXiv:2310.13061).

    The keys are ``train_accuracy`` (on the labels given, corrupted ones included) and
    ``test_accuracy`` (on true labels; NaN if there is no test example). Both are taken after the
    last step, with dropout off. The data, the initial weights and the dropout masks depend on
    ``seed``; PyTorch's global random state is left as it was found.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)  # nn.Dropout draws from the global generator
        generator = torch.Generator().manual_seed(seed)
        split = make_split(data_fraction, corruption_fraction, modulus, generator)
        model = QuadraticMLP(modulus, width, dropout, generator)
        step = make_step(model, split, modulus, weight_decay)
        for _ in range(steps):
            step()
    return {
        "train_accuracy": accuracy(model, split.train_inputs, split.train_labels),
        "test_accuracy": accuracy(model, split.test_inputs, split.test_labels),
    }


def milliseconds_per_step(
    data_fraction: float, steps: int = 30, warmup: int = 5, dropout: float = 0.0
) -> float:
    """Return the median wall-clock time of one update at p = 97, N = 500 (arXiv:2310.13061).

    A step is forward, backward and AdamW; accuracies are not computed. The first ``warmup`` steps
    are not counted.
    """
    if steps < 1:
        raise ValueError(f"steps must be at least 1, got {steps}")
    modulus, width = 97, 500
    times: list[float] = []
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        generator = torch.Generator().manual_seed(0)
        split = make_split(data_fraction, 0.0, modulus, generator)
        model = QuadraticMLP(modulus, width, dropout, generator)
        step = make_step(model, split, modulus, weight_decay=0.0)
        for _ in range(warmup):
            step()
        for _ in range(steps):
            start = time.perf_counter()
            step()
            times.append(time.perf_counter() - start)
    return 1000.0 * statistics.median(times)


def main() -> None:
    """Print milliseconds per step at three training fractions."""
    print(f"PyTorch {torch.__version__}, CPU, {torch.get_num_threads()} threads, eager")
    for data_fraction in (0.1, 0.5, 0.9):
        print(f"alpha = {data_fraction}: {milliseconds_per_step(data_fraction):.1f} ms per step")


if __name__ == "__main__":
    main()
