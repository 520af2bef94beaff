"""Claims on grokking, on curves made for them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from phasegrok.reproduction.base import Results
from phasegrok.reproduction.parity import decay, grokking, known
from phasegrok.sweep.load import load
from tests.reproduction.parity.made import held, results

MEMORIZED, SOLVED, LAST = 100, 1000, 5000
ROOT = Path(__file__).parents[3]


def between(step: np.ndarray, first: float, second: float) -> np.ndarray:
    """A line of three pieces in the logarithm of the step, with bends at memorization and at
    generalization."""
    where = np.interp(np.log(step + 1), np.log([MEMORIZED, SOLVED]), [first, second])
    return np.asarray(where)


def curves(
    tmp_path: Path, norms: tuple[float, float], solved: int = SOLVED, bits: int = 2
) -> Results:
    """Two seeds that memorize, and generalize at step ``solved`` with test accuracy and spectral
    norm moving together."""
    step = np.arange(0, LAST + 1, 10)
    share = between(step, 0.0, 1.0)
    table = pd.DataFrame(
        {
            "step": step,
            "train_accuracy": 1.0,
            "test_accuracy": 0.5 + 0.5 * share,
            "corrupted_accuracy": np.nan,
            "spectral_u": norms[0] + (norms[1] - norms[0]) * share,
            "train_loss": np.where(step < MEMORIZED, 1.0, 0.01),
            "test_loss": np.select([step == 0, step < MEMORIZED], [1.0, 1.3], 1 - share),
        }
    )
    runs = pd.DataFrame(
        {
            "run": ["a", "b"],
            "seed": [0, 1],
            "memorization_step": pd.array([MEMORIZED] * 2, "Int64"),
            "generalization_step": pd.array([solved] * 2, "Int64"),
            "test_accuracy": 1.0,
        }
    )
    points = pd.concat([table.assign(run=run) for run in runs["run"]])
    return results(tmp_path, runs, {"parity_bits": bits}, curves=points)


def test_well_before(tmp_path: Path) -> None:
    """Ten times as many epochs, and less than twice as many."""
    assert held(grokking.grokking(curves(tmp_path / "a", (2, 1))), "well before").held
    soon = grokking.grokking(curves(tmp_path / "b", (2, 1), solved=150))
    assert [claim.held for claim in soon] == [False]


def test_a_plateau(tmp_path: Path) -> None:
    """Half of the way, in epochs, is most of the way of a curve that rises with their logarithm: no
    plateau. One that waits until the end has it."""
    rising = curves(tmp_path / "a", (1, 2), bits=3)
    assert [claim.held for claim in grokking.grokking(rising)] == [True, False]
    waiting = curves(tmp_path / "b", (1, 2), bits=3)
    table = waiting["curves"]
    waiting["curves"] = table.assign(
        test_accuracy=table["test_accuracy"].where(table["step"] > 0.6 * SOLVED, 0.5)
    )
    assert [claim.held for claim in grokking.grokking(waiting)] == [True, True]


@pytest.mark.parametrize(
    ("norms", "falls", "rises"), [((2, 1), True, False), ((1, 2), False, True)]
)
def test_norms(tmp_path: Path, norms: tuple[float, float], falls: bool, rises: bool) -> None:
    found = curves(tmp_path, norms)
    assert [claim.held for claim in grokking.norm_falls(found)] == [falls]
    # The second claim: it moves with the accuracy, up or down.
    assert [claim.held for claim in grokking.norm_rises(found)] == [rises, rises]


def test_inflections(tmp_path: Path) -> None:
    """Bends at memorization and generalization are found there; with the same bends and a network
    that memorizes much later only one of them is left."""
    found = curves(tmp_path, (2, 1))
    assert held(grokking.inflections(found), "inflections").held
    found["runs"] = found["runs"].assign(memorization_step=pd.array([500] * 2, "Int64"))
    assert [claim.held for claim in grokking.inflections(found)] == [None]


def test_losses(tmp_path: Path) -> None:
    """A test loss that goes up and then away; and one that stays up."""
    found = curves(tmp_path, (1, 2), bits=3)
    assert held(grokking.losses(found), "stabilizes").held
    found["curves"] = found["curves"].assign(test_loss=1.3)
    assert [claim.held for claim in grokking.losses(found)] == [False]


def readout(shares: list[float], **columns: object) -> pd.DataFrame:
    """100 output weights at each of some steps, a share of them 0."""
    tables = [
        pd.DataFrame({"weight": np.where(np.arange(100) < 100 * share, 0.0, 1.0), "step": step})
        for step, share in enumerate(shares)
    ]
    return pd.concat(tables).assign(seed=0, **columns)


def test_output_weights_condense(tmp_path: Path) -> None:
    runs = pd.DataFrame({"run": ["a"], "seed": [0]})
    for shares, expected in (([0.1, 0.3], True), ([0.3, 0.3], False)):
        found = results(tmp_path / str(expected), runs, readout=readout(shares))
        assert [claim.held for claim in grokking.sparser(found)] == [expected]


@pytest.mark.parametrize(
    ("shares", "expected"),
    [((0.1, 0.2, 0.3), True), ((0.1, 0.4, 0.3), None), ((0.3, 0.2, 0.1), False)],
)
def test_decay_makes_sparse(
    tmp_path: Path, shares: tuple[float, ...], expected: bool | None
) -> None:
    tables = [
        readout([share], weight_decay=d, corruption_fraction=0.0)
        for d, share in zip((0.01, 0.05, 0.1), shares, strict=True)
    ]
    found = results(tmp_path, pd.DataFrame({"run": ["a"], "seed": [0]}), readout=pd.concat(tables))
    assert held(decay.sparsity(found), "sparser").held is expected


def hands(tmp_path: Path, accuracy: float, loss: float) -> Results:
    """Step 0 of every network built by hand."""
    names = list(dict.fromkeys(name for *_, variants, _ in known.CLAIMS for name in variants))
    runs = pd.DataFrame({"run": names, "variant": names, "seed": 0, "test_accuracy": 0.97})
    start = pd.DataFrame(
        {
            "variant": names,
            "step": 0,
            "train_accuracy": 1.0,
            "test_accuracy": accuracy,
            "test_loss": loss,
        }
    )
    return results(tmp_path, runs, curves=start)


def test_networks_by_hand(tmp_path: Path) -> None:
    """One wrong answer refutes all; a loss refutes those whose outputs are the labels."""
    ours = "our check"
    for accuracy, loss, expected in (
        (1.0, 0.0, [True] * 4),
        (0.999, 0.0, [False] * 4),
        (1.0, 0.5, [False, True, False, True]),
    ):
        found = known.by_hand(hands(tmp_path / f"{accuracy}-{loss}", accuracy, loss))
        assert [claim.held for claim in found if ours not in claim.text] == expected
    checks = [c for c in known.by_hand(hands(tmp_path, 1.0, 0.0)) if ours in c.text]
    assert [(c.held, c.also[0][1], bool(c.why)) for c in checks] == [(False, True, True)] * 3


def test_the_sweep_has_the_networks_by_hand() -> None:
    """The variants that claims name are those of the sweep."""
    sweep = load(ROOT / "sweeps" / "parity-analytic.yaml")
    named = {name for *_, variants, _ in known.CLAIMS for name in variants}
    assert {variant.name for variant in sweep.variants} == named
