"""The two stages of training, on curves drawn by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd

from phasegrok.analysis.stages import first_step, knees, slowest_seed, stages


def curve(run: str, test: list[float], corrupted: list[float | None]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "run": run,
            "step": [0, 10, 20, 30, 40, 50],
            "test_accuracy": test,
            "corrupted_accuracy": pd.array(corrupted, "Float64"),
        }
    )


def test_grokking_then_unlearning() -> None:
    """Memorized at 10, grokked at 30, unlearned for good at 50: a fall to below half that recovers
    (at 20 of run b) is not unlearning. Never is null, as is everything of corruption where there is
    none."""
    curves = pd.concat(
        [
            curve("a", [0, 0, 0.5, 0.9, 1, 1], [0, 0.9, 1, 1, 0.6, 0.1]),
            curve("b", [0, 0, 0.5, 0.9, 1, 1], [0, 1, 0.2, 1, 0.9, 0.8]),
            curve("c", [0, 0, 0.5, 0.9, 1, 1], [None] * 6),
            curve("d", [0, 0, 0, 0, 0, 0], [0, 0.5, 0.6, 0.7, 0.1, 0.1]),
        ]
    ).sample(frac=1, random_state=0)
    found = stages(curves).loc[["a", "b", "c", "d"]]
    assert found["grokking_step"].tolist() == [30, 30, 30, pd.NA]
    assert found["fitting_step"].tolist() == [10, 10, pd.NA, pd.NA]
    assert found["unlearning_step"].tolist() == [50, pd.NA, pd.NA, pd.NA]
    assert (found.dtypes == "Int64").all()


def test_knees_of_a_broken_line() -> None:
    """Level, falling from step 30, level again from step 1000 on: on a logarithmic axis, found to
    within a tenth, from steps that are even on a plain one; a run without numbers has none."""
    step = np.arange(0, 10_010, 10)
    clipped = np.log(np.clip(step, 30, 1000))
    curves = pd.DataFrame(
        {
            "run": np.repeat(["a", "b"], len(step)),
            "step": np.tile(step, 2),
            "spectral_u": np.concatenate([7 - clipped, np.full(len(step), np.nan)]),
        }
    )
    found = knees(curves, "spectral_u")
    np.testing.assert_allclose(found.loc["a"], [30, 1000], rtol=0.1)
    assert found.loc["b"].isna().all() and found.index.name == "run"


def test_the_slowest_run_takes_longest_to_generalize() -> None:
    """Longest after memorization, not at the latest step; the first where no run gets there."""
    runs = pd.DataFrame(
        {"seed": [0, 1, 2], "memorization_step": [10, 40, 10], "generalization_step": [20, 60, 25]}
    ).astype("Int64")
    assert slowest_seed(runs) == 1
    assert slowest_seed(runs.assign(generalization_step=pd.array([pd.NA] * 3, "Int64"))) == 0


def test_the_first_step_above_a_level() -> None:
    """Strictly above it; a run that never gets there has no row."""
    curves = pd.DataFrame(
        {"run": ["a", "a", "a", "b"], "step": [0, 10, 20, 0], "value": [0.5, 0.6, 0.9, 0.5]}
    )
    assert first_step(curves, "value", 0.5).to_dict() == {"a": 10}
