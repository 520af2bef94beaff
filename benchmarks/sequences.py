"""A step of the networks that read tokens one by one, Transformer and LSTM, against PyTorch's."""

from __future__ import annotations

from typing import NamedTuple

import jax
from timing import GPU_SEEDS, baseline, both, lay_out, on_cpu, ratio, timed, torch

from phasegrok import models

ALPHA = 0.5
SHARED = ("loss=cross_entropy", "data.corruption_fraction=0", "optimizer.weight_decay=1")


class Network(NamedTuple):
    """The same network in phasegrok and in the baseline."""

    changes: tuple[str, ...]  # to sweeps/transformer.yaml
    baseline: str  # its name there
    biases: int  # that only the baseline's has


class Batch(NamedTuple):
    """How a training goes through its examples, and how long it is timed."""

    size: int | None
    log_every: int  # all steps of a call of the engine's segment, which ends with a measurement
    counts: str  # of the baseline's steps: timed and not timed


NETWORKS = {
    "Transformer": Network(
        ("model.layers=2", "model.normalization=layer"),
        "transformer",
        2 * 4 * 128,  # of query, key, value and output, in both layers
    ),
    "LSTM": Network(
        ("model.kind=lstm", "model.layers=2", "model.embedding=144", "model.width=144"),
        "lstm",
        2 * 4 * 144,  # a second one in every gate, in both layers
    ),
}
BATCHES = (Batch(None, 20, "10, 2"), Batch(128, 200, "200, 20"))
QUICK = (Batch(None, 2, "2, 1"), Batch(128, 20, "20, 5"))


def time_network(title: str, network: Network, batch: Batch, repeats: int) -> str:
    """The table's row: engine and baseline in turn, as bench.time_case has them.

    Raises AssertionError where they are not the same network.
    """
    seeds = len(jax.local_devices()) * (1 if on_cpu() else GPU_SEEDS)
    engine, cells, *_ = lay_out(
        ALPHA,
        seeds,
        *SHARED,
        *network.changes,
        f"train.batch_size={batch.size or 'full'}",
        f"train.log_every={batch.log_every}",
        f"train.steps={batch.log_every}",
        name="transformer",
    )
    model = models.of(engine.program.experiment)
    count, inner = models.parameters(model), models.parameters(model, embeddings=False)
    for found in torch(f"sequence_parameters({network.baseline!r})"):
        assert found == count + network.biases, f"{title}: {count} weights, PyTorch {found:.0f}"
    ours, theirs = list[float](), list[float]()
    arguments = f"{network.baseline!r}, {ALPHA}, {batch.size}, {batch.counts}"
    for taken in timed(engine, cells, repeats):
        ours.append(taken)
        theirs += torch(f"sequence_milliseconds_per_step({arguments})")
    left = f"| {title} | {batch.size or 'full'} | {count} | {inner} | {engine.layout.chunk}"
    return f"{left} | {both(ours)} | {both(theirs)} | {ratio(theirs, ours)} |"


def report(machine: str, quick: bool) -> str:
    batches, repeats = (QUICK, 1) if quick else (BATCHES, 4)
    rows = [time_network(*item, batch, repeats) for item in NETWORKS.items() for batch in batches]
    caution = " (quick: too few repeats to quote)" if quick else ""
    full, small = (batch.log_every for batch in batches)
    # An evaluation of all 9409 examples, to a step's forward pass and twice that backward.
    added = " and ".join(
        f"{100 * 9409 / (3 * (batch.size or 4704) * batch.log_every):.0f} %" for batch in batches
    )
    biases = ", ".join(f"{n.biases} more in the {title}" for title, n in NETWORKS.items())
    lines = [
        f"""# A training step of Transformer and LSTM{caution}

Machine: {machine}

Modular addition, p = 97, alpha = {ALPHA}, xi = 0, cross-entropy, AdamW with learning rate 0.001 and
weight decay 1. Transformer: 2 layers, 4 heads, embedding 128, feed-forward 512, ReLU, LayerNorm
before each block. LSTM: 2 layers, embedding and width 144. Both read the answer at the last of
three tokens.

phasegrok: a chunk's time over its cells and steps, measuring all 9409 examples included, as in a
sweep: every {full} steps of full batches, every {small} of small ones.
By operations, that adds {added}.
Baseline: {baseline()}; the faster of its default threads and 1, each repeat;
one cell at a time, no measurement. It is the same network from PyTorch's own layers
(nn.TransformerEncoder, nn.LSTM), whose biases that phasegrok's does not have are not counted below:
{biases}.
PyTorch's encoder computes the last layer at all three positions, phasegrok's only what is read; the
first layer of phasegrok's LSTM multiplies each token's vector once, PyTorch's each example's.
Times are median (minimum) over repeats; ratios are of medians.

| network | batch | parameters | without embeddings | cells | phasegrok, ms per step and cell \
| PyTorch, ms per step | PyTorch / phasegrok |
|---|---|---|---|---|---|---|---|"""
    ]
    return "\n".join(lines + rows) + "\n"
