"""Baseline: the usual sequential, eager PyTorch training of one grokking network on the CPU.

This is the loop a reader of the paper would write without phasegrok: one cell of the phase
diagram at a time, dense one-hot inputs, no compilation. It is here to be timed against, and as
an independent implementation to compare accuracies with.

Source of the method: D. Doshi, A. Das, T. He, A. Gromov, "To grok or not to grok: Disentangling
generalization and memorization on corrupted algorithmic datasets", ICLR 2024, arXiv:2310.13061.
Modular addition, two bias-free layers with a quadratic activation, mean squared error, full-batch
AdamW.

Also the Transformer and the LSTM that phasegrok trains on the tokens m, n and an equals sign, from
PyTorch's own layers as its users would take them, with cross-entropy and AdamW.

Run ``python benchmarks/baseline_torch.py`` to print milliseconds per step.
"""

from __future__ import annotations

import math
import statistics
import sys
import time
from collections.abc import Callable, Iterator
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
SEQUENCE_LEARNING_RATE = 0.001
SEQUENCE_WEIGHT_DECAY = 1.0
POSITIONS = 3  # m, n, and an equals sign, where the answer is read


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


class SequenceTransformer(nn.Module):
    """Encoder with a LayerNorm before each block and one at the end, read at the last token.

    Attention has biases, as PyTorch's has by default. All positions of every layer are computed,
    as its encoder does, though only the last layer's last one is read.
    """

    def __init__(
        self,
        modulus: int,
        layers: int = 2,
        heads: int = 4,
        embedding: int = 128,
        feed_forward: int = 512,
    ) -> None:
        super().__init__()
        self.embedding = nn.Embedding(modulus + 1, embedding)
        self.position = nn.Parameter(torch.randn(POSITIONS, embedding) / math.sqrt(embedding))
        layer = nn.TransformerEncoderLayer(
            embedding, heads, feed_forward, dropout=0.0, batch_first=True, norm_first=True
        )
        self.encoder = nn.TransformerEncoder(
            layer, layers, norm=nn.LayerNorm(embedding), enable_nested_tensor=False
        )
        self.output = nn.Linear(embedding, modulus, bias=False)

    def forward(self, tokens: Tensor) -> Tensor:
        """Return the outputs (rows, p) of tokens (rows, 3)."""
        stream = self.encoder(self.embedding(tokens) + self.position)
        outputs: Tensor = self.output(stream[:, -1])
        return outputs


class SequenceLSTM(nn.Module):
    """Stacked LSTM, read after the last token. Each gate has two biases, as PyTorch's has."""

    def __init__(self, modulus: int, layers: int = 2, width: int = 144) -> None:
        super().__init__()
        self.embedding = nn.Embedding(modulus + 1, width)
        self.lstm = nn.LSTM(width, width, layers, batch_first=True)
        self.output = nn.Linear(width, modulus, bias=False)

    def forward(self, tokens: Tensor) -> Tensor:
        """Return the outputs (rows, p) of tokens (rows, 3)."""
        states, _ = self.lstm(self.embedding(tokens))
        outputs: Tensor = self.output(states[:, -1])
        return outputs


SEQUENCE_NETWORKS: dict[str, Callable[[int], nn.Module]] = {
    "transformer": SequenceTransformer,
    "lstm": SequenceLSTM,
}


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


def batches(
    rows: int, batch_size: int | None, generator: torch.Generator
) -> Iterator[Tensor | slice]:
    """Yield, without end, what to take from ``rows`` rows at a step: a fresh permutation each
    epoch in batches, an incomplete last one dropped; without a batch size all of them."""
    if batch_size is None:
        while True:
            yield slice(None)
    if not 1 <= batch_size <= rows:
        raise ValueError(f"batch_size must be in 1..{rows}, got {batch_size}")
    while True:
        order = torch.randperm(rows, generator=generator)
        yield from order[: rows - rows % batch_size].split(batch_size)


def make_sequence_step(
    model: nn.Module, split: Split, batch_size: int | None, generator: torch.Generator
) -> Callable[[], None]:
    """Return a function that makes one AdamW update by the mean cross-entropy of a batch."""
    modulus = split.train_inputs.shape[1] // 2
    pairs = split.train_inputs.unflatten(1, (2, modulus)).argmax(2)
    tokens = nn.functional.pad(pairs, (0, 1), value=modulus)  # the equals sign is the last token
    labels = split.train_labels
    loss_function = nn.CrossEntropyLoss()
    optimizer = torch.optim.AdamW(
        model.parameters(),
        lr=SEQUENCE_LEARNING_RATE,
        betas=BETAS,
        eps=EPSILON,
        weight_decay=SEQUENCE_WEIGHT_DECAY,
    )
    coming = batches(len(labels), batch_size, generator)

    def step() -> None:
        rows = next(coming)
        optimizer.zero_grad()
        loss = loss_function(model(tokens[rows]), labels[rows])
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
    data_fraction: float,
    steps: int = 30,
    warmup: int = 5,
    dropout: float = 0.0,
    device: str = "cpu",
) -> float:
    """Return the median wall-clock time of one update at p = 97, N = 500 (arXiv:2310.13061).

    A step is forward, backward and AdamW; accuracies are not computed. The first ``warmup`` steps
    are not counted. On a GPU each step is waited for.
    """
    modulus, width = 97, 500
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        generator = torch.Generator().manual_seed(0)
        split = make_split(data_fraction, 0.0, modulus, generator)
        split = Split(*(part.to(device) for part in split))
        model = QuadraticMLP(modulus, width, dropout, generator).to(device)
        step = make_step(model, split, modulus, 0.0)
        return median_milliseconds(step, steps, warmup, device)


def sequence_milliseconds_per_step(
    network: str, data_fraction: float, batch_size: int | None, steps: int = 10, warmup: int = 2
) -> float:
    """Return the median wall-clock time of one update of a sequence network at p = 97.

    ``network`` is a key of ``SEQUENCE_NETWORKS``. A step is as in :func:`milliseconds_per_step`,
    and taking a batch's rows where there are batches.
    """
    modulus = 97
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        generator = torch.Generator().manual_seed(0)
        split = make_split(data_fraction, 0.0, modulus, generator)
        model = SEQUENCE_NETWORKS[network](modulus)
        step = make_sequence_step(model, split, batch_size, generator)
        return median_milliseconds(step, steps, warmup)


def sequence_parameters(network: str) -> int:
    """Return the number of weights of a sequence network at p = 97, biases included."""
    model = SEQUENCE_NETWORKS[network](97)
    return sum(weights.numel() for weights in model.parameters())


def median_milliseconds(
    step: Callable[[], None], steps: int, warmup: int, device: str = "cpu"
) -> float:
    """Return the median wall-clock time of ``steps`` calls after ``warmup`` that do not count."""
    if steps < 1:
        raise ValueError(f"steps must be at least 1, got {steps}")
    wait = torch.cuda.synchronize if device == "cuda" else lambda: None
    for _ in range(warmup):
        step()
    times: list[float] = []
    for _ in range(steps):
        wait()
        start = time.perf_counter()
        step()
        wait()
        times.append(time.perf_counter() - start)
    return 1000.0 * statistics.median(times)


def main() -> None:
    """Print milliseconds per step at three training fractions, and of the sequence networks."""
    print(f"PyTorch {torch.__version__}, CPU, {torch.get_num_threads()} threads, eager")
    for data_fraction in (0.1, 0.5, 0.9):
        print(f"alpha = {data_fraction}: {milliseconds_per_step(data_fraction):.1f} ms per step")
    for network in SEQUENCE_NETWORKS:
        for batch_size, steps in ((None, 5), (128, 100)):
            taken = sequence_milliseconds_per_step(network, 0.5, batch_size, steps)
            batch = "full batch" if batch_size is None else f"batches of {batch_size}"
            print(f"{network}, alpha = 0.5, {batch}: {taken:.1f} ms per step")


if __name__ == "__main__":
    main()
