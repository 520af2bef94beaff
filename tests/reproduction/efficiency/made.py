"""Tables of the efficiency study's sweeps, made without training."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from phasegrok.reproduction.base import Claim, Results

STEPS = np.arange(0, 2001, 50)


class Made(Results):
    """Tables without a folder."""

    sweep: dict[str, Any]

    @property
    def manifest(self) -> dict[str, Any]:
        return {"sweep": self.sweep}


def made(runs: list[dict[str, Any]], curves: list[pd.DataFrame], **sweep: Any) -> Made:
    results = Made(Path("nowhere"))
    results["runs"] = pd.DataFrame(runs)
    results["curves"] = pd.concat(curves, ignore_index=True)
    results.sweep = sweep
    return results


def verdicts(function: Callable[[Results], Iterator[Claim]], results: Results) -> list[bool | None]:
    found = list(function(results))
    assert all((claim.held is not True) == bool(claim.why) for claim in found)
    assert all(claim.rule for claim in found)
    return [claim.held for claim in found]
