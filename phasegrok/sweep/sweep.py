"""A checked, frozen sweep: what a sweep file describes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from phasegrok.config import (
    DATA_FRACTION,
    MEASURE_NOTHING,
    NO_REFINEMENT,
    TASKS,
    Engine,
    Experiment,
    Measure,
    Refine,
)
from phasegrok.sweep import variants
from phasegrok.sweep.assemble import Settings, Sources, build, flat
from phasegrok.sweep.variants import Variant
from phasegrok.sweep.zipped import KEY, Groups, crossed, followers, swept_groups


@dataclass(frozen=True)
class Axis:
    """A swept config path and its values, in order."""

    path: str
    values: tuple[Any, ...]
    where: str = field(compare=False)  # file:line:column, or the --set that gave it


@dataclass(frozen=True)
class Sweep:
    """Base experiment, variants of it, axes and seeds: the runs are their full product, but for
    axes that move together.

    Where a path is swept, `base` holds the first value of its axis. A sweep without variants runs
    the base.
    """

    name: str
    base: Experiment
    axes: tuple[Axis, ...]
    seeds: tuple[int, ...]
    engine: Engine
    measure: Measure = MEASURE_NOTHING
    # Settings that the base has no use for, but another kind of an axis or a variant has.
    unused_settings: Settings = ()
    variants: tuple[Variant, ...] = ()
    refine: Refine = NO_REFINEMENT
    zipped: Groups = ()  # paths of axes that move together
    file: str = field(default="", compare=False)
    locations: Mapping[str, str] = field(
        default_factory=lambda: MappingProxyType({}), compare=False, repr=False
    )

    @property
    def factors(self) -> tuple[int, ...]:
        """What its number of runs is the product of: variants, values of every axis, seeds."""
        behind = followers(self.zipped)
        values = (len(axis.values) for axis in self.axes if axis.path not in behind)
        return (max(1, len(self.variants)), *values, len(self.seeds))

    def points(self, paths: Sequence[str]) -> Iterator[tuple[Any, ...]]:
        """Every point of some of the axes: a value for each of ``paths``; without repeats."""
        axes = {axis.path: axis.values for axis in self.axes if axis.path in paths}
        found = crossed(swept_groups(self.zipped, axes), axes)
        # Of axes that move together the others may repeat a value.
        return iter(dict.fromkeys(found)) if len(axes) < len(self.axes) else found

    def at(self, values: Mapping[str, Any], variant: Variant | None = None) -> Experiment:
        """The base, or a variant of it, with these values at dotted paths, checked as a whole.

        The values may choose kinds. Settings that only other kinds have are then left out. Keys
        that only this kind has take their explicit value or its default.

        Raises:
            Refusal: the combination is not possible. It names the variant or the axis.
        """
        base = {**dict(self.unused_settings), **flat(self.base)}
        changes = dict(variant.settings) if variant else {}
        swept = [axis.path for axis in self.axes]
        sources = Sources(self.file, self.locations, swept, variant)
        experiment, _ = build({**base, **changes, **values}, sources)
        return experiment

    def where(self, path: str, variant: str | None = None) -> str:
        """Where the variant, or else the file or a --set, gives the value at a path.

        It is the file itself where the value is a default.
        """
        for each in self.variants:
            if each.name == variant and path in each.locations:
                return each.locations[path]
        return self.locations.get(path, self.file)

    def resolved(self) -> dict[str, Any]:
        """Everything, defaults included, as plain values that load as an equal sweep."""
        blocks = self.base.model_dump()
        for path, value in self.unused_settings:
            block, _, leaf = path.partition(".")
            blocks[block][leaf] = value
        tasks = [dict(each.settings).get("task.kind") for each in self.variants]
        tasks += [value for axis in self.axes if axis.path == "task.kind" for value in axis.values]
        blocks_of_tasks = [TASKS[kind] for kind in (self.base.task.kind, *tasks) if kind]
        if any(block.sized_by != DATA_FRACTION for block in blocks_of_tasks):
            # Such a task refuses an explicit fraction, so the default must not be written out.
            del blocks["data"]["data_fraction"]
        named = {each.name: dict(each.settings) for each in self.variants}
        return {
            "name": self.name,
            **blocks,
            **({variants.BLOCK: named} if named else {}),
            "axes": {axis.path: list(axis.values) for axis in self.axes},
            **({KEY: [list(group) for group in self.zipped]} if self.zipped else {}),
            "seeds": list(self.seeds),
            "measure": self.measure.model_dump(mode="json"),
            "engine": self.engine.model_dump(),
            # Folders of sweeps without it stay as they are.
            **({"refine": self.refine.model_dump(mode="json")} if self.refine.levels else {}),
        }
