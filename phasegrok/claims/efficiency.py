"""Claims of the study of model and training efficiency: Figures 1 to 9."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from phasegrok.claims.base import Claim, Results, spread
from phasegrok.critical import crossings, estimate
from phasegrok.program import SOLVED
from phasegrok.stages import stages

__all__ = ["claims"]

MODELS: Final = ("transformer", "lstm", "mlp")
CHANCE: Final = 0.1  # a test accuracy below it is no generalization, at 31 classes or more
BETWEEN: Final = (0.2, 0.8)  # neither memorization alone nor generalization
NOISES: Final = ("update-noise", "dropout", "weight-noise")


def claims(root: Path) -> Iterator[Claim]:
    """Every claim, from the result folders under ``root``, in the study's order."""
    models = Results(root / "model-grokking")
    yield from _delayed(models)
    yield from _more_data(models)
    yield from _data_efficiency(Results(root / "data-efficiency")["runs"])
    yield from _mixture(Results(root / "mixture")["curves"])
    yield from _model_efficiency(Results(root / "model-efficiency")["runs"])
    yield from _ungrokking(Results(root / "ungrokking"))
    yield from _critical(Results(root / "critical-size")["runs"])
    yield from _semi_grokking(Results(root / "semi-grokking")["runs"])


def _delays(results: Results) -> pd.DataFrame:
    """Runs with ``memorized``, the step with training accuracy above 0.999, and ``grokked``, that
    with test accuracy of at least 90 %; null if never."""
    runs = results["runs"].set_index("run")
    runs["memorized"] = runs["memorization_step"].astype("Float64")
    runs["grokked"] = stages(results["curves"])["grokking_step"].astype("Float64")
    return runs
