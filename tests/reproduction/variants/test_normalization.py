"""Claims on batch normalization can be refuted: on tables made for either verdict."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from phasegrok.reproduction.base import Claim, Results
from phasegrok.reproduction.variants import normalization

Curve = list[tuple[int, float, float, float]]  # step, train, test, corrupted labels kept

STAGES: Curve = [(0, 0, 0, 0), (10, 1, 0, 1), (20, 1, 1, 1), (30, 0.8, 1, 0.01)]
AGAIN: Curve = [*STAGES, (40, 0.85, 1, 0.2)]
DIRECT: Curve = [(0, 0, 0, 0), (10, 0.8, 0, 0.4), (20, 0.85, 1, 0.2), (30, 0.8, 1, 0.01)]
KEEPS: Curve = [(0, 0, 0, 0), (10, 1, 0, 1), (20, 1, 1, 1), (30, 1, 1, 0.9)]


def ignored(tmp_path: Path, curve: Curve) -> list[Claim]:
    names = ["step", "train_accuracy", "test_accuracy", "corrupted_accuracy"]
    frames = [
        pd.DataFrame(curve, columns=names).assign(
            run=f"{kind}-{seed}", normalization=kind, corruption_fraction=0.2
        )
        for kind in ("batch", "none")
        for seed in (0, 1)
    ]
    results = Results(tmp_path)
    results["curves"] = pd.concat(frames, ignore_index=True)
    results["runs"] = results["curves"].groupby("run", as_index=False).last()
    return list(normalization.ignored(results))


def test_two_stages_and_labels_ignored(tmp_path: Path) -> None:
    """(ignored, two stages): for good; for a while; without having been memorized; never."""
    verdicts = [[c.held for c in ignored(tmp_path, c)] for c in (STAGES, AGAIN, DIRECT, KEEPS)]
    assert verdicts == [[True, True], [None, None], [True, False], [False, False]]


def neurons(slope: float, shift: float, label: str) -> Results:
    """Weights that go with the IPR by a slope, and IPR that batch normalization shifts."""
    generator = np.random.default_rng(0)
    runs, frames = [], []
    for kind in ("batch", "layer", "none"):
        for seed in (0, 1, 2):
            ipr = generator.uniform(0.1, 0.8, 400)
            noise = generator.uniform(0.9, 1.1, 400)
            weight = noise + (slope * ipr if kind == "batch" else 0)
            run = f"{kind}-{seed}"
            frames.append(
                pd.DataFrame(
                    {
                        "run": run,
                        "normalization": kind,
                        "seed": seed,
                        "ipr": ipr + (shift if kind == "batch" else 0),
                        "normalization_weight": np.nan if kind == "none" else weight,
                    }
                )
            )
            runs.append((run, kind, label, "Partial Inversion"))
    results = Results(Path("nowhere"))
    results["neurons"] = pd.concat(frames, ignore_index=True)
    names = ["run", "normalization", "subphase", "direct_phase"]
    results["runs"] = pd.DataFrame(runs, columns=names)
    return results


def verdicts(slope: float, shift: float, label: str) -> list[bool | None]:
    return [c.held for c in normalization.normalization_weights(neurons(slope, shift, label))]


def test_weights_and_distributions() -> None:
    """In the order of the rows: correlation, none for layer normalization, lower weights for a low
    IPR, equal distributions, low IPR in Full Inversion."""
    assert verdicts(3.0, 0.0, "Full Inversion") == [True] * 5
    assert verdicts(0.0, 0.0, "Full Inversion") == [False, True, False, True, True]
    assert verdicts(3.0, 0.15, "Full Inversion")[3] is False
    assert verdicts(3.0, 0.0, "Partial Inversion")[4] is False
