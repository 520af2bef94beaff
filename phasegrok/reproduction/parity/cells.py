"""What the claims on sparse parity share: epochs, sections, and the accuracy that is grokking."""

from __future__ import annotations

from typing import Any, Final

import pandas as pd

from phasegrok.reproduction.base import Results

__all__ = ["CLOSE_TO_ZERO", "LESS", "STILL_GROKS", "bits", "epochs"]

# The mean test accuracy over seeds at which "grokking still occurs". The thesis gives none. It was
# chosen on the five seeds of parity-outliers, where this and 0.98 bring every entry of Table 3.1
# within one step of the grid; the 20 seeds of parity-outliers-20 are others.
STILL_GROKS: Final = 0.99
LESS: Final = 0.95  # the other plausible one

# Of a weight. At the start output weights are uniform up to 1 / sqrt(500) = 0.045, those of the
# hidden layer up to 1 / sqrt(50) = 0.14.
CLOSE_TO_ZERO: Final = 0.01

BATCH: Final = 32


def bits(results: Results) -> int:
    """k, the number of signs in the product."""
    return int(results.manifest["sweep"]["task"]["parity_bits"])


def epochs(steps: pd.Series[Any], results: Results) -> pd.Series[float]:
    """Epochs of the training set in batches of 32, the last one kept."""
    examples = int(results.manifest["sweep"]["task"]["train_examples"])
    return steps.astype("Float64") / -(-examples // BATCH)
