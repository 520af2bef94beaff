"""Claims on the weights and activations of trained networks, from the networks themselves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np
import pandas as pd

from phasegrok.analysis.phases import GENERALIZES
from phasegrok.reproduction.base import Claim, Results
from phasegrok.reproduction.parity.cells import CLOSE_TO_ZERO, bits
from phasegrok.reproduction.words import spread, verdict

__all__ = ["clusters", "five_neurons", "hidden_sparser", "two_neurons"]

NEIGHBOURS: Final = 10
FIRST_LAYER: Final = 0.62  # section 4.2.3
OUTPUT: Final = 0.85
EXAMPLES: Final = 300  # activations of so many training examples are compared


class Network(NamedTuple):
    """Weights of one layer of neurons on features."""

    u: np.ndarray  # (features, width)
    bias: np.ndarray  # (width,)
    w: np.ndarray  # (width,)

    def activations(self, x: np.ndarray) -> np.ndarray:
        """What the output layer is given for inputs (rows, features): (rows, width)."""
        return np.asarray(np.maximum(x @ self.u + self.bias, 0))


def network(results: Results, run: str, step: int) -> Network:
    """A network that a sweep has saved."""
    found = results.folder.load_weights(run, step)
    return Network(found["u"], found["biases.0"], found["w"][:, 0])


def training_examples(results: Results, seed: int) -> np.ndarray:
    """The first training examples of a seed, (examples, bits) of signs."""
    import jax.numpy as jnp

    from phasegrok import tasks
    from phasegrok.config import TASKS
    from phasegrok.train.state import LABELS, ORDER, key_of

    task = tasks.build(TASKS["parity"](**results.manifest["sweep"]["task"]))
    number = jnp.asarray(seed, jnp.uint32)
    found = task.table(key_of(number, ORDER), key_of(number, LABELS))
    return np.asarray(found.inputs[:EXAMPLES])


def like_neighbours(activations: np.ndarray, kind: np.ndarray) -> float:
    """The mean share of the nearest examples, by distance of activations, that are of one's kind.

    Args:
        activations: (rows, width).
        kind: (rows,) integers.
    """
    square = (activations**2).sum(axis=1)
    distance = square[:, None] + square[None, :] - 2 * activations @ activations.T
    np.fill_diagonal(distance, np.inf)
    nearest = np.argsort(distance, axis=1, kind="stable")[:, :NEIGHBOURS]
    return float((kind[nearest] == kind[:, None]).mean())


def clusters(results: Results) -> Iterator[Claim]:
    """Activations of examples with the same signs gather as the network generalizes."""
    k = bits(results)
    shares: dict[str, dict[str, list[float]]] = {}
    for run, seed in zip(results["runs"]["run"], results["runs"]["seed"], strict=True):
        x = training_examples(results, int(seed))
        first = x[:, :k]
        pattern = ((first > 0) @ (2 ** np.arange(k))).astype(int)
        kinds = {"signs": pattern, "label": (first.prod(axis=1) > 0).astype(int)}
        for when, step in zip(("before", "after"), _ends(results, run), strict=True):
            active = network(results, run, step).activations(x)
            for name, kind in kinds.items():
                shares.setdefault(name, {}).setdefault(when, []).append(
                    like_neighbours(active, kind)
                )
    signs, label = shares["signs"], shares["label"]
    full, half = min(signs["after"]) > 0.9, min(label["after"]) > 0.9
    grow = all(b > a for a, b in zip(signs["before"], signs["after"], strict=True))
    yield Claim(
        "2.2.1, Fig. 2.2" if k == 2 else "Fig. A.3",
        f"activations of examples with the same first {k} signs gather in clusters of their own",
        f"share of an example's {NEIGHBOURS} nearest with its signs {spread(signs['before'])} once"
        f" memorized, {spread(signs['after'])} at the end (chance {0.5**k:g}); with its label"
        f" {spread(label['before'])}, {spread(label['after'])}",
        verdict(grow and half, grow and full),
        rule="in every seed the share with its signs grows and ends above 0.9; in part, the share"
        " with its label does",
        also=(("growth alone", grow),),
        why=(
            "Clusters are of a label, not of a pattern of signs: a network needs no neuron that"
            " tells patterns of one parity from each other."
            if grow and half
            else "In some seeds neighbours at the end are of another label."
        ),
    )


def _ends(results: Results, run: str) -> tuple[int, int]:
    """The first and the last step with a saved network."""
    steps = results.folder.saved_steps(run)
    return steps[0], steps[-1]


def hidden_sparser(results: Results) -> Iterator[Claim]:
    """The weights of the hidden layer condense around zero."""
    sizes = [
        [np.abs(network(results, run, step).u) for step in _ends(results, run)]
        for run in results["runs"]["run"]
    ]
    before, after = (np.array([(pair[i] < CLOSE_TO_ZERO).mean() for pair in sizes]) for i in (0, 1))
    narrower = all(np.median(b) < np.median(a) for a, b in sizes)
    yield Claim(
        "2.2.2" if bits(results) == 2 else "Fig. A.4",
        "the weights of the hidden layer, which the thesis' text names, condense around zero",
        f"share below {CLOSE_TO_ZERO:g} in size {spread(before)} once memorized,"
        f" {spread(after)} at the end",
        bool((after > before).all()),
        rule="a larger share at the end in every seed",
        also=(("twice the share", bool((after > 2 * before).all())), ("median size", narrower)),
        why="In some seeds the share is not larger at the end.",
    )


def two_neurons(results: Results) -> Iterator[Claim]:
    """Two trained neurons have the weights 0.62 and -0.62, and both output weights 0.85."""
    runs = results["runs"]
    learned = runs[runs["test_accuracy"] >= GENERALIZES]
    nets = {run: network(results, run, _ends(results, run)[1]) for run in learned["run"]}
    alike = [run for run, net in nets.items() if (net.w > 0).all()]
    inputs = np.array([np.abs(nets[run].u[:2]).mean() for run in alike])
    outputs = np.array([nets[run].w.mean() for run in alike])
    opposite = all(
        (np.sign(nets[run].u[:2]) == np.sign(nets[run].u[0, :1]) * [1, -1]).all() for run in alike
    )
    others = max((np.abs(nets[run].u[2:]).max() for run in alike), default=np.nan)
    off = max(abs(inputs.mean() - FIRST_LAYER), abs(outputs.mean() - OUTPUT))
    yield Claim(
        "4.2.3",
        f"two trained neurons: first-layer weights ±{FIRST_LAYER}, output weights {OUTPUT}",
        f"of {len(alike)} seeds with two positive output weights: first-layer weights of the two"
        f" bits ±{spread(inputs)}, of all other bits at most {others:.3f} in size; output weights"
        f" {spread(outputs)}",
        bool(opposite and off < 0.05 and others < 0.1),
        rule="means over seeds within 0.05 of both numbers, the neurons' signs opposite, and other"
        " bits' weights below 0.1",
        also=(("within 0.02", bool(opposite and off < 0.02)),),
        why="The trained weights are others than the thesis'.",
    )
    loss = learned.set_index("run")["train_loss"]
    rest = loss.index.difference(alike)
    others_loss = f", with {spread(loss[rest])}" if len(rest) else ""
    yield Claim(
        "4.2.3",
        "the trained network mirrors the theoretical one, a neuron for each pair of equal signs",
        f"{len(alike)} of {len(learned)} seeds that learn it, with a hinge loss of"
        f" {spread(loss[alike])}; in the {len(rest)} others{others_loss}, not both output weights"
        " are positive",
        verdict(len(alike) > 0, len(rest) == 0),
        rule="both output weights are positive in every seed with a test accuracy of at least"
        f" {GENERALIZES:g}; in part, in some",
        why=(
            "There is another solution of two neurons, and its loss is lower: outputs of 0 for -1"
            " keep half of the examples at a loss of 1."
        ),
    )


def five_neurons(results: Results) -> Iterator[Claim]:
    """Weights of five trained neurons approach zero and do not reach it, unless L1 helps."""
    runs = results["runs"].set_index("run")
    sizes = [np.abs(network(results, run, _ends(results, run)[1]).u) for run in runs.index]
    runs = runs.assign(
        learned=runs["test_accuracy"] >= GENERALIZES,
        near=[(size < CLOSE_TO_ZERO).mean() for size in sizes],
        nearer=[(size < CLOSE_TO_ZERO / 10).mean() for size in sizes],
        zeros=[(size == 0).sum() for size in sizes],
    )
    plain, strong = runs[runs["l1"] == 0], runs[runs["l1"] > 0]
    # Uniform up to 1 / sqrt(n) at the start.
    begun = CLOSE_TO_ZERO * float(results.manifest["sweep"]["task"]["bits"]) ** 0.5
    learned, rest = plain[plain["learned"]], plain[~plain["learned"]]
    near = bool(len(learned) and (learned["near"] > begun).all() and not plain["zeros"].any())
    yield Claim(
        "4.3.1",
        "the weights of five neurons approach zero and do not fully reach it",
        f"share of first-layer weights below {CLOSE_TO_ZERO:g} in size, {begun:.3f} at the start:"
        f" {_spread(learned['near'])} in the {len(learned)} seeds that learn the parity,"
        f" {_spread(rest['near'])} in {len(rest)} that do not; exactly zero:"
        f" {plain['zeros'].sum()}",
        near,
        rule="a larger share than at the start in every seed that learns it, and no weight of 0",
        also=(
            ("in seeds that do not", bool(len(rest) and (rest["near"] > begun).all())),
            ("most of the weights", bool(near and (learned["near"] > 0.5).all())),
        ),
        why="In some seeds the weights do not gather near zero, or some are 0.",
    )
    closer = bool(strong.loc[strong["learned"], "nearer"].mean() > learned["nearer"].mean())
    exact = bool(strong["zeros"].any())
    yield Claim(
        "4.3.2",
        "(future work) L1 regularization pushes weights to exact zeros",
        f"share below {CLOSE_TO_ZERO / 10:g} in size in the seeds that learn it: without L1"
        f" {_spread(learned['nearer'])}, with it"
        f" {_spread(strong.loc[strong['learned'], 'nearer'])}; exactly zero with it:"
        f" {strong['zeros'].sum()}",
        verdict(closer or exact, exact),
        rule=f"some weights are exactly 0; in part, more of them are below {CLOSE_TO_ZERO / 10:g}",
        why=(
            "A step of stochastic gradient descent moves a weight by the learning rate times the"
            " strength, past zero and back. Exact zeros need another optimizer."
        ),
    )


def _spread(values: pd.Series[float]) -> str:
    return spread(values) if len(values) else "none"
