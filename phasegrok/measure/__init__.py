"""Measurements of a network, each in a file of its own.

What is computed and what is tabled follows from the two lists below. A new measurement is a file,
a line here and, where sweep files may ask for it, a key in ``config/measure.py``. One of a plugin
is a class with the decorator :func:`register`.
"""

from __future__ import annotations

import inspect
from typing import Annotated, Any, Final, TypeVar

from pydantic import Field

from phasegrok import plugins
from phasegrok.config import Measure
from phasegrok.config.opened import admit_key
from phasegrok.errors import Refusal
from phasegrok.measure.activations import Activations
from phasegrok.measure.base import Groups, Keys, Measurement, Scalar, Snapshot
from phasegrok.measure.logits import Logits
from phasegrok.measure.neurons import Neurons
from phasegrok.measure.pruning import Pruning
from phasegrok.measure.readout import Readout
from phasegrok.measure.rows import Rows
from phasegrok.measure.scalars import MeanIpr, Norms, SpectralNorms

__all__ = [
    "MEASUREMENTS",
    "SCALARS",
    "Groups",
    "Keys",
    "Measurement",
    "Scalar",
    "Snapshot",
    "register",
    "tables_wanted",
]

TABLES: Final = ("runs", "curves", "cells", "boundaries", "weights", "figures", "damaged")

# Columns of curves and runs, in their order.
SCALARS: Final[list[Scalar]] = [
    MeanIpr(),
    Norms(),
    SpectralNorms(),
]

# Tables of their own.
MEASUREMENTS: Final[list[Measurement]] = [
    Neurons(),
    Pruning(),
    Logits(),
    Rows(),
    Readout(),
    Activations(),
]


Kind = TypeVar("Kind", bound=type[Scalar] | type[Measurement])


def register(kind: Kind) -> Kind:
    """The decorator of a plugin's measurement: sweep files may ask for it by its ``key``.

    Raises:
        Refusal: it is no measurement, has no key, or its key or table is there already.
    """
    what = f"{getattr(kind, '__module__', '')}.{getattr(kind, '__qualname__', kind)}"
    if not (isinstance(kind, type) and issubclass(kind, (Scalar, Measurement))):
        raise Refusal(f"{what}: found no measurement; allowed: a class of Scalar or Measurement")
    if inspect.isabstract(kind):
        lacking = ", ".join(sorted(kind.__abstractmethods__))
        raise Refusal(f"{what}: found a measurement without {lacking}; required: all of them")
    module = kind.__module__
    if issubclass(kind, Measurement):
        table = getattr(kind, "table", "")
        others = {each.table for each in MEASUREMENTS if type(each).__module__ != module}
        if not str(table).isidentifier() or table in {*others, *TABLES}:
            raise Refusal(f"{what}: found table {table!r}; allowed: a word that no other table has")
    described = Annotated[bool, Field(description=" ".join((kind.__doc__ or "").split()))]
    annotation, default = kind.setting or (described, False)
    admit_key(kind.key, annotation, default, module)
    plugins.record("measure", kind.key, kind)
    held: list[Any] = SCALARS if issubclass(kind, Scalar) else MEASUREMENTS
    held[:] = [each for each in held if each.key != kind.key]
    held.append(kind())
    return kind


def tables_wanted(measure: Measure) -> bool:
    """Whether a sweep asks for any table of its own."""
    return any(each.wanted(measure) for each in MEASUREMENTS)
