"""Claims on neurons can be refuted: on neurons made for either verdict."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from phasegrok.reproduction.base import Claim, Results
from phasegrok.reproduction.hypothesis import neurons

DECAYS = (0.0, 5.0, 15.0)


def layer(off: float, missing: int = 0, count: int = 96) -> pd.DataFrame:
    """Periodic neurons at every decay, whose output phase is off by a random angle of that size."""
    generator = np.random.default_rng(0)
    frames = []
    for decay in DECAYS:
        for seed in (0, 1):
            frequency = 1 + np.arange(count) % (48 - missing)
            phi_u, phi_v = generator.uniform(-np.pi, np.pi, (2, count))
            phi_w = phi_u + phi_v + off * generator.choice([-1, 1], count)
            frame = pd.DataFrame(
                {
                    "weight_decay": decay,
                    "seed": seed,
                    "ipr": 0.9,
                    "dead": False,
                    "frequency": frequency,
                    "phase_u": phi_u,
                    "phase_v": phi_v,
                    "phase_w": (phi_w + np.pi) % (2 * np.pi) - np.pi,
                }
            )
            frames.append(frame.assign(**{f"frequency_{name}": frequency for name in "uvw"}))
    return pd.concat(frames, ignore_index=True)


def held(
    tmp_path: Path, function: Callable[[Results], Iterator[Claim]], table: pd.DataFrame
) -> list[Claim]:
    results = Results(tmp_path)
    results["neurons"] = table
    return list(function(results))


def test_phases_decide_on_equation_2(tmp_path: Path) -> None:
    """Yes with exact phases, in part where some are near, no with phases far off."""
    exact = held(tmp_path, neurons.phase_relation, layer(0.0))
    assert [claim.held for claim in exact] == [True] * 3
    near = held(tmp_path, neurons.phase_relation, layer(0.15))
    assert [claim.held for claim in near] == [True] * 3
    assert [dict(claim.also)["less than 0.1 rad"] for claim in near] == [None] * 3
    far = held(tmp_path, neurons.phase_relation, layer(1.0))
    assert [claim.held for claim in far] == [False] * 3
    mixed = layer(0.0)
    mixed.loc[mixed.index % 2 == 0, "phase_w"] += 1.0
    assert [claim.held for claim in held(tmp_path, neurons.phase_relation, mixed)] == [None] * 3


def test_a_missing_frequency_is_seen(tmp_path: Path) -> None:
    assert [c.held for c in held(tmp_path, neurons.frequencies, layer(0.0))] == [True] * 3
    found = held(tmp_path, neurons.frequencies, layer(0.0, missing=1))
    assert [c.held for c in found] == [False] * 3 and "47 / 47" in found[0].measured


def test_many_neurons_have_all_frequencies_anyway(tmp_path: Path) -> None:
    """With 96 neurons of 48 frequencies, having all says something. With 960 it does not."""
    few, many = (
        held(tmp_path, neurons.frequencies, layer(0.0, count=count))[0] for count in (96, 960)
    )
    assert not few.weak and "probability 1" in many.weak


def peaks(tmp_path: Path, second: dict[float, float], multiple: int | None) -> Claim:
    """Neurons of all decays, with an amplitude at a multiple of the main frequency; at another
    place for each neuron where the multiple is None."""
    token = np.arange(97)
    frames, runs = [], []
    for decay, amplitude in second.items():
        for seed in (0, 1, 2):
            run = f"{decay}-{seed}"
            runs.append((run, decay))
            for neuron in range(6):
                frequency = 3 + neuron
                other = (multiple or 2 + neuron + seed) * frequency
                for matrix in "uvw":
                    wave = np.cos(2 * np.pi * frequency * token / 97)
                    wave = wave + amplitude * np.cos(2 * np.pi * other * token / 97 + seed)
                    frames.append(
                        pd.DataFrame(
                            {
                                "run": run,
                                "step": 10,
                                "layer": "hidden",
                                "matrix": matrix,
                                "neuron": neuron,
                                "token": token,
                                "weight": wave,
                            }
                        )
                    )
    results = Results(tmp_path)
    results["rows"] = pd.concat(frames)
    results["runs"] = pd.DataFrame(runs, columns=["run", "weight_decay"])
    (claim,) = neurons.secondary_peaks(results)
    return claim


def test_secondary_peaks_grow_and_stand_at_one_multiple(tmp_path: Path) -> None:
    yes = peaks(tmp_path, {0.0: 0.01, 5.0: 0.1, 15.0: 0.3}, multiple=2)
    assert yes.held is True and "at 2 times the main frequency in 100%" in yes.measured
    assert peaks(tmp_path, {0.0: 0.01, 5.0: 0.1, 15.0: 0.3}, multiple=None).held is None
    assert peaks(tmp_path, {0.0: 0.3, 5.0: 0.1, 15.0: 0.01}, multiple=2).held is False
