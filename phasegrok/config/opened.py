"""What plugins add to sweep files: kinds of tasks, models and optimizers, and keys of ``measure:``.

Everything that is derived from the declarations is brought up to date here, in place.
"""

from __future__ import annotations

import functools
import operator
import typing
from typing import Any, Final

from pydantic.fields import FieldInfo

from phasegrok.config.experiment import Experiment
from phasegrok.config.fields import Block, Traced, kinds, plain_types
from phasegrok.config.measure import MEASURE_NOTHING, Measure
from phasegrok.config.models import MODELS, ModelBlock
from phasegrok.config.optimizers import OPTIMIZERS, OptimizerBlock
from phasegrok.config.paths import PATHS, column, refresh
from phasegrok.config.run_record import RunRecord
from phasegrok.config.tasks import TASKS, TaskBlock
from phasegrok.errors import Refusal

__all__ = ["admit", "admit_key", "generation"]

# By block: what its kinds inherit from, and those that there are.
OPEN: Final[dict[str, tuple[type[Block], dict[str, Any]]]] = {
    "task": (TaskBlock, TASKS),
    "model": (ModelBlock, MODELS),
    "optimizer": (OptimizerBlock, OPTIMIZERS),
}
# Columns of tables that are not settings, and how the names of measurements begin and end.
TAKEN: Final = (
    *("run", "seed", "seeds", "variant", "step", "status", "n_train", "n_corrupted", "phase"),
    *("subphase", "direct_phase", "diverged", "seed_agreement", "inferred", "event_step"),
)
MEASURED_ENDS: Final = ("_accuracy", "_loss", "_step", "_norm", "_ipr", "_neurons", "_logit")
MEASURED_STARTS: Final = ("norm_", "spectral_")

_generation = 0
_keys: dict[str, str] = {}  # of measure:, and the module that each is from


def generation() -> int:
    """A number that changes with what sweep files may say."""
    return _generation


def admit(name: str, block: Any) -> str:
    """Let sweep files choose a new kind of ``name:`` (task, model or optimizer), and give its kind.

    A kind of the same module is replaced: it was imported again.

    Raises:
        Refusal: the class is no such block, its kind is there already, or its keys do not go with
            those that there are.
    """
    base, known = OPEN[name]
    what = f"{getattr(block, '__module__', '')}.{getattr(block, '__qualname__', block)}"
    if not (isinstance(block, type) and issubclass(block, base)):
        raise Refusal(f"{what}: found no block of a {name}; allowed: a class of {base.__name__}")
    info = block.model_fields.get("kind")
    literal = typing.get_origin(info.annotation) is typing.Literal if info else False
    if info is None or not literal or typing.get_args(info.annotation) != (info.default,):
        raise Refusal(f'{what}: found no kind; allowed: kind: Literal["NAME"] = "NAME"')
    kind = str(info.default)
    there = known.get(kind)
    if there is not None and there.__module__ != block.__module__:
        raise Refusal(
            f"{what}: {name}.kind {kind}: is there already ({there.__module__}); allowed: another"
            " name"
        )
    for leaf, declared in block.model_fields.items():
        if leaf != "kind":
            _check_key(f"{name}.{leaf}", declared, what)
    if name == "optimizer" and not _is_traced(block.model_fields.get("learning_rate")):
        raise Refusal(f"{what}: found no traced learning_rate; required: a key of this name")
    known[kind] = block
    union = Experiment.model_fields[name]
    others = [each for each in kinds(union.annotation) if each is not there]
    union.annotation = functools.reduce(operator.or_, [*others, block])
    _rebuild()
    return kind


def _check_key(path: str, declared: FieldInfo, what: str) -> None:
    """Refuse a key whose column or mark clashes with what there is."""
    block, _, leaf = path.partition(".")
    same = next((p for p in PATHS if column(p) == leaf and p.partition(".")[0] != block), None)
    if same or leaf in TAKEN:
        where = f"that of {same}" if same else "one of every table"
        raise Refusal(f"{what}: {leaf}: its column would be {where}; allowed: another name")
    if leaf.endswith(MEASURED_ENDS) or leaf.startswith(MEASURED_STARTS):
        raise Refusal(
            f"{what}: {leaf}: found a name as measurements have; allowed: none that begins with"
            f" {' or '.join(MEASURED_STARTS)} or ends with {' or '.join(MEASURED_ENDS)}"
        )
    traced = _is_traced(declared)
    if path in PATHS and traced != _is_traced(PATHS[path][0]):
        other = "traced" if not traced else "static"
        raise Refusal(f"{what}: {leaf}: is {other} in the other kinds; allowed: the same here")
    if traced and not plain_types(declared.annotation) <= {int, float}:
        raise Refusal(f"{what}: {leaf}: found {declared.annotation}; allowed: traced numbers")


def _is_traced(declared: FieldInfo | None) -> bool:
    return declared is not None and any(isinstance(mark, Traced) for mark in declared.metadata)


def admit_key(key: str, annotation: Any, default: Any, module: str) -> None:
    """Let sweep files ask for a new measurement.

    Args:
        key: of ``measure:``.
        annotation: what it takes, with its description and marks.
        default: which asks for nothing.
        module: that it is from.

    Raises:
        Refusal: there is such a key.
    """
    if not (isinstance(key, str) and key.isidentifier()):
        raise Refusal(f"{module}: measure: found key {key!r}; allowed: a word")
    if key in Measure.model_fields and _keys.get(key) != module:
        raise Refusal(f"{module}: measure.{key}: is there already; allowed: another key")
    _keys[key] = module
    Measure.model_fields[key] = FieldInfo.from_annotated_attribute(annotation, default)
    Measure.__annotations__[key] = annotation
    Measure.model_rebuild(force=True)
    MEASURE_NOTHING.__dict__[key] = default  # it was made before there was such a key
    _rebuild()


def _rebuild() -> None:
    global _generation
    Experiment.model_rebuild(force=True)
    RunRecord.model_rebuild(force=True)
    refresh()
    _generation += 1
