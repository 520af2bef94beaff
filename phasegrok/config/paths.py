"""Dotted paths of config fields: what an axis may name, and which values stand there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from pydantic.fields import FieldInfo

from phasegrok.config.engine import Engine
from phasegrok.config.events import SHRINKS
from phasegrok.config.experiment import Experiment
from phasegrok.config.fields import Block, Traced, kinds, value_at
from phasegrok.config.measure import Measure
from phasegrok.config.refine import Refine
from phasegrok.config.tasks import DATA_FRACTION


def fields(block: type[Block] = Experiment) -> Iterator[tuple[str, list[FieldInfo]]]:
    """Every dotted path that an axis may name, with its declarations, one for each kind."""
    found: dict[str, list[FieldInfo]] = {}
    for name, info in block.model_fields.items():
        inner = kinds(info.annotation)
        if not inner:
            found[name] = [info]
        for kind in inner:
            for leaf, leaf_info in kind.model_fields.items():
                found.setdefault(f"{name}.{leaf}", []).append(leaf_info)
    yield from found.items()


PATHS: dict[str, list[FieldInfo]] = dict(fields())

# The blocks that are not part of an experiment. Nothing in them can be swept.
OTHER_BLOCKS: Final[dict[str, type[Block]]] = {
    "measure": Measure,
    "engine": Engine,
    "refine": Refine,
}
OTHER_PATHS: dict[str, list[FieldInfo]] = {}


def refresh() -> None:
    """Bring the paths up to date with the declarations, to which plugins may have added."""
    PATHS.clear()
    PATHS.update(fields())
    for block, declared in OTHER_BLOCKS.items():
        for name, info in declared.model_fields.items():
            OTHER_PATHS[f"{block}.{name}"] = [info]


refresh()


def is_traced(path: str) -> bool:
    """Whether the field at a dotted path is a traced leaf."""
    return any(isinstance(mark, Traced) for mark in PATHS[path][0].metadata)


def column(path: str) -> str:
    """The table column of a dotted path.

    It is the leaf's name. For a kind it is the block's name, and for events it is both
    (``event_value``), because the leaf alone says too little.
    """
    block, _, leaf = path.rpartition(".")
    if leaf == "kind":
        return block
    return f"event_{leaf}" if block == "event" else leaf


def block_classes(block: str) -> list[type[Block]]:
    """The class of every kind of a block; none if the name is that of a plain field."""
    return kinds(Experiment.model_fields[block].annotation)


def kind_of(block: type[Block]) -> Any:
    """The kind that a block's class declares; None for a block without kinds."""
    return block.model_fields["kind"].default if "kind" in block.model_fields else None


def default_kind(block: str) -> Any:
    """The kind of a block that a sweep file does not mention; None for a block without kinds."""
    return getattr(Experiment.model_fields[block].default, "kind", None)


def leaves(block: str, allowed_kinds: Iterable[Any]) -> set[str]:
    """The keys of a block under any of these kinds."""
    wanted = set(allowed_kinds)
    return {k for c in block_classes(block) if kind_of(c) in wanted for k in c.model_fields}


def has(experiment: Experiment, path: str) -> bool:
    """Whether the experiment's own kinds have a field at this dotted path."""
    if path == DATA_FRACTION and experiment.task.sized_by != path:
        return False
    block, _, leaf = path.rpartition(".")
    return not block or leaf in type(getattr(experiment, block)).model_fields


def traced_paths(experiment: Experiment) -> list[str]:
    """Dotted paths of the numbers in ``RunParams.values``.

    They are the traced fields of the experiment's own kinds, without α and ξ, which ``RunParams``
    holds as counts of rows.
    """
    return [
        path
        for path in PATHS
        if is_traced(path) and not path.startswith("data.") and has(experiment, path)
    ]


def shrinks(experiment: Experiment) -> bool:
    """Whether the experiment's event sets the size of the training set."""
    return value_at(experiment, "event.set") in SHRINKS


def without_traced(experiment: Experiment) -> Experiment:
    """The experiment with every traced field emptied, so that equal programs compare equal."""
    updates: dict[str, dict[str, None]] = {}
    for path in PATHS:
        if is_traced(path) and has(experiment, path):
            block, leaf = path.split(".")
            updates.setdefault(block, {})[leaf] = None
    blocks = {
        block: getattr(experiment, block).model_copy(update=leaves)
        for block, leaves in updates.items()
    }
    return experiment.model_copy(update=blocks)
