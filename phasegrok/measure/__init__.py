"""Measurements of a network, each in a file of its own.

What is computed and what is tabled follows from the two lists below. A new measurement is a file,
a line here and, where sweep files may ask for it, a key in ``config/measure.py``.
"""

from __future__ import annotations

from phasegrok.config import Measure
from phasegrok.measure.activations import Activations
from phasegrok.measure.base import Keys, Measurement, Scalar, Snapshot
from phasegrok.measure.logits import Logits
from phasegrok.measure.neurons import Neurons
from phasegrok.measure.pruning import Pruning
from phasegrok.measure.readout import Readout
from phasegrok.measure.rows import Rows
from phasegrok.measure.scalars import MeanIpr, Norms, SpectralNorms

__all__ = [
    "MEASUREMENTS",
    "SCALARS",
    "Keys",
    "Measurement",
    "Scalar",
    "Snapshot",
    "tables_wanted",
]

# Columns of curves and runs, in their order.
SCALARS: tuple[Scalar, ...] = (
    MeanIpr(),
    Norms(),
    SpectralNorms(),
)

# Tables of their own.
MEASUREMENTS: tuple[Measurement, ...] = (
    Neurons(),
    Pruning(),
    Logits(),
    Rows(),
    Readout(),
    Activations(),
)


def tables_wanted(measure: Measure) -> bool:
    """Whether a sweep asks for any table of its own."""
    return any(each.wanted(measure) for each in MEASUREMENTS)
