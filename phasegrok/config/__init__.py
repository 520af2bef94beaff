"""Every block, key, range and default of a sweep file, each declared once."""

from __future__ import annotations

from phasegrok.config.engine import (
    Engine,
)
from phasegrok.config.events import (
    SHRINKS,
    SOLVED,
    AtStep,
    Event,
    Memorized,
    NoEvent,
    Settable,
)
from phasegrok.config.experiment import (
    Experiment,
)
from phasegrok.config.fields import (
    FILE_PATH,
    LARGEST,
    TRACED,
    Block,
    Count,
    FilePath,
    Fraction,
    NotNegative,
    Positive,
    Traced,
    is_file_path,
    kinds,
    value_at,
)
from phasegrok.config.measure import (
    MEASURE_NOTHING,
    Measure,
    PruningOrder,
)
from phasegrok.config.models import (
    Activation,
    Lstm,
    Mixture,
    Mlp,
    Model,
    Transformer,
)
from phasegrok.config.optimizers import (
    Adam,
    AdamW,
    Optimizer,
    Sgd,
    UpdateNoise,
    WeightNoise,
)
from phasegrok.config.paths import (
    PATHS,
    column,
    fields,
    has,
    is_traced,
    leaves,
    shrinks,
    traced_paths,
    without_traced,
)
from phasegrok.config.tasks import (
    TOKENLESS,
    Data,
    Images,
    Modular,
    Parity,
    Task,
)
from phasegrok.config.training import (
    Loss,
    Train,
)

__all__ = [
    "FILE_PATH",
    "LARGEST",
    "MEASURE_NOTHING",
    "PATHS",
    "SHRINKS",
    "SOLVED",
    "TOKENLESS",
    "TRACED",
    "Activation",
    "Adam",
    "AdamW",
    "AtStep",
    "Block",
    "Count",
    "Data",
    "Engine",
    "Event",
    "Experiment",
    "FilePath",
    "Fraction",
    "Images",
    "Loss",
    "Lstm",
    "Measure",
    "Memorized",
    "Mixture",
    "Mlp",
    "Model",
    "Modular",
    "NoEvent",
    "NotNegative",
    "Optimizer",
    "Parity",
    "Positive",
    "PruningOrder",
    "Settable",
    "Sgd",
    "Task",
    "Traced",
    "Train",
    "Transformer",
    "UpdateNoise",
    "WeightNoise",
    "column",
    "fields",
    "has",
    "is_file_path",
    "is_traced",
    "kinds",
    "leaves",
    "shrinks",
    "traced_paths",
    "value_at",
    "without_traced",
]
