"""Numbers of the weights alone, on networks whose weights are known."""

from __future__ import annotations

from pathlib import Path

import jax
import numpy as np

from phasegrok.analysis.phases import is_metric
from phasegrok.plan.plan import plan
from phasegrok.sweep.load import load
from phasegrok.train.metrics import measure
from phasegrok.train.state import init, make_table
from tests.conftest import MakeSweep
from tests.train.one import MACHINE, one

SPECTRAL = ("mean_ipr", "dead_neurons", "constant_neurons")
PARITY = """\
name: parity
task: {kind: parity, bits: 6, parity_bits: 2, train_examples: 20, test_examples: 20}
model: {width: 8, activation: relu, bias: true, initialization: uniform}
loss: hinge
optimizer: {kind: sgd, learning_rate: 0.1}
train: {epochs: 1, log_every: 1}
"""


def test_the_analytic_solution_has_a_constant_neuron_in_p(make_sweep: MakeSweep) -> None:
    """Equation 2's frequencies are spread evenly over 0 .. p - 1: of 21 neurons at p = 7 three have
    frequency 0. They are of the solution, with an IPR of 1 as all others, so the mean keeps them.
    """
    program, run = one(make_sweep, "model.initialization=analytic", "model.width=21")
    found = measure(program, init(program, run), make_table(program, run))
    np.testing.assert_allclose([found[name] for name in SPECTRAL], [1, 0, 3], atol=1e-3)


def test_all_are_null_where_nothing_has_a_spectrum(tmp_path: Path) -> None:
    """Bits are no tokens and have no frequencies. A count of 0 would say that they do."""
    file = tmp_path / "parity.yaml"
    file.write_text(PARITY)
    grid = plan(load(file), MACHINE)
    program = grid.jobs[0].program
    run = jax.tree.map(lambda x: np.asarray(x[0]), grid.run_params(grid.jobs[0].runs[:1]))
    found = measure(program, init(program, run), make_table(program, run))
    assert np.isnan([found[name] for name in SPECTRAL]).all()


def test_cells_have_their_means() -> None:
    """All three are metrics by their names."""
    assert all(is_metric(name) for name in SPECTRAL)
