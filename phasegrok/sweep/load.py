"""From a sweep file to a checked, frozen Sweep: one line of refusal, or something that runs.

Three sources in rising precedence: the file, its own `reduced` block where that is asked for,
and `--set` overrides. Whatever they say is checked key by key where it stands, and then as whole
experiments, so that nothing wrong is left to be found once training has begun.
"""

from __future__ import annotations

import itertools
import typing
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from phasegrok.config import (
    MEASURE_NOTHING,
    PATHS,
    TOKENLESS,
    Engine,
    Experiment,
    Measure,
    is_traced,
    kinds,
)
from phasegrok.sweep import variants, yaml
from phasegrok.sweep.assemble import Sources, build, check_fits, fitting, flat
from phasegrok.sweep.values import (
    FIELDS,
    MAX_RUNS,
    NAME,
    OTHER_BLOCKS,
    axis_values,
    length,
    setting,
    unknown,
)
from phasegrok.sweep.variants import Variant
from phasegrok.sweep.yaml import Node, refusal, short

_SETTINGS = ("name", *FIELDS, "seeds")
_CHANGES = (*_SETTINGS, *(f"axes.{path}" for path in PATHS))
_BLOCKS = (*(n for n, i in Experiment.model_fields.items() if kinds(i.annotation)), *OTHER_BLOCKS)
MAX_CHECKED = 10_000
_TOP = (
    "name",
    *Experiment.model_fields,
    variants.BLOCK,
    "axes",
    "seeds",
    *OTHER_BLOCKS,
    "reduced",
)


@dataclass(frozen=True)
class Axis:
    """A swept config path and its values, in order."""

    path: str
    values: tuple[Any, ...]
    where: str = field(compare=False)  # file:line:column, or the --set that gave it


@dataclass(frozen=True)
class Sweep:
    """Base experiment, variants of it, axes and seeds: the runs are their full product.

    Where a path is swept, `base` holds the first value of its axis. A sweep without variants
    runs the base.
    """

    name: str
    base: Experiment
    axes: tuple[Axis, ...]
    seeds: tuple[int, ...]
    engine: Engine
    measure: Measure = MEASURE_NOTHING
    # Settings that only another kind, on a `kind` axis or in a variant, has: (path, value) each.
    others: tuple[tuple[str, Any], ...] = ()
    variants: tuple[Variant, ...] = ()
    file: str = field(default="", compare=False)
    places: Mapping[str, str] = field(
        default_factory=lambda: MappingProxyType({}), compare=False, repr=False
    )

    def at(self, values: Mapping[str, Any], variant: Variant | None = None) -> Experiment:
        """The base, or a variant of it, with these values at dotted paths, checked as a whole.

        Where a kind is among the values, settings that only other kinds have are left out and
        those that only this kind has take their given value or default.
        Raises Refusal, naming the variant or the axis, where the combination is not possible.
        """
        own = variant.settings if variant else ()
        everything = {**dict(self.others), **flat(self.base), **dict(own), **values}
        swept = [axis.path for axis in self.axes]
        experiment, _ = build(everything, Sources(self.file, self.places, swept, variant))
        return experiment

    def where(self, path: str, variant: str | None = None) -> str:
        """Where the file (or --set) says what is at a path, of a variant if it says that itself;
        the file itself for a default."""
        for each in self.variants:
            if each.name == variant and path in each.places:
                return each.places[path]
        return self.places.get(path, self.file)

    def resolved(self) -> dict[str, Any]:
        """Everything, defaults included, as plain values that load as an equal sweep."""
        blocks = self.base.model_dump()
        for path, value in self.others:
            block, _, leaf = path.partition(".")
            blocks[block][leaf] = value
        tasks = [dict(each.settings).get("task.kind") for each in self.variants]
        tasks += [value for axis in self.axes if axis.path == "task.kind" for value in axis.values]
        if "parity" in (self.base.task.kind, *tasks):
            # Said as a default, the fraction would be refused; said by the user, it already was.
            del blocks["data"]["data_fraction"]
        named = {each.name: dict(each.settings) for each in self.variants}
        return {
            "name": self.name,
            **blocks,
            **({variants.BLOCK: named} if named else {}),
            "axes": {axis.path: list(axis.values) for axis in self.axes},
            "seeds": list(self.seeds),
            "measure": self.measure.model_dump(mode="json"),
            "engine": self.engine.model_dump(),
        }


@dataclass
class _Draft:
    """What the sources say so far, not yet checked."""

    settings: dict[str, Node]
    axes: dict[str, Node]
    variants: dict[str, Node]


def dump(sweep: Sweep) -> str:
    """The resolved sweep as YAML text."""
    return yaml.write(sweep.resolved())


def load(path: Path, overrides: Sequence[str] = (), reduced: bool = False) -> Sweep:
    """The sweep that a file, its reduced block if asked for, and overrides describe.

    Raises Refusal for anything that is not exactly right.
    """
    root = yaml.read_file(Path(path))
    file = yaml.escaped(str(path))
    draft = _read(root)
    changes = _reduced_changes(root, draft)
    if reduced:
        if "reduced" not in root.value:
            raise refusal(
                file,
                "reduced",
                "found no such block; allowed: --reduced where "
                "the file says in `reduced:` what it changes",
            )
        _apply(draft, changes)
    _apply(draft, [_override(text) for text in overrides])
    return _sweep(draft, file)


def _read(root: Node) -> _Draft:
    draft = _Draft({}, {}, {})
    for key, node in root.value.items():
        if key not in _TOP:
            raise unknown(node, key, key, _TOP)
        if key == "axes":
            for path, axis in _entries(node, key):
                if path not in PATHS:
                    raise unknown(axis, f"axes.{path}", path, tuple(PATHS))
                draft.axes[path] = axis
        elif key == variants.BLOCK:
            draft.variants = variants.read(node)
        elif key in _BLOCKS:
            leaves = tuple(p.partition(".")[2] for p in FIELDS if p.startswith(f"{key}."))
            for leaf, inner in _entries(node, key):
                if leaf not in leaves:
                    raise unknown(inner, f"{key}.{leaf}", leaf, leaves)
                draft.settings[f"{key}.{leaf}"] = inner
        elif key != "reduced":
            draft.settings[key] = node
    return draft


def _entries(node: Node, key: str) -> Iterable[tuple[str, Node]]:
    if not node.is_mapping:
        raise refusal(node.where, key, f"found {node.shown()}; allowed: a mapping of keys")
    return typing.cast(dict[str, Node], node.value).items()


def _reduced_changes(root: Node, draft: _Draft) -> list[tuple[str, Node]]:
    """What the reduced block changes; its keys and values are checked even when not applied."""
    if "reduced" not in root.value:
        return []
    changes: list[tuple[str, Node]] = []
    for key, node in _entries(root.value["reduced"], "reduced"):
        if key == "axes":
            inner = _entries(node, "reduced.axes")
            changes += [(f"axes.{path}", axis) for path, axis in inner]
        elif key.startswith(f"{variants.BLOCK}."):
            raise refusal(
                node.key_where,
                f"reduced.{key}",
                "found a part of a variant; allowed: "
                "whole ones, reduced: {variants: {NAME: {PATH: value}}}",
            )
        else:
            changes.append((key, node))
    trial = _Draft(dict(draft.settings), dict(draft.axes), dict(draft.variants))
    _apply(trial, changes, "reduced.")
    for key, node in changes:
        path = key.removeprefix("axes.")
        if trial.axes.get(path) is node:
            axis_values(path, node, "reduced.")
        elif trial.settings.get(key) is node:
            setting(key, node, "reduced.")
    return changes


def _override(text: str) -> tuple[str, Node]:
    where = f"--set {short(text)}"
    key, equals, value = text.partition("=")
    if not equals:
        raise refusal(where, "", "found no `=`; allowed: KEY=VALUE")
    node = yaml.read_text(value, lambda line, column: where)
    key = key.strip()
    if key.partition(".")[0] == variants.BLOCK:
        raise refusal(
            where,
            key,
            "found a change of variants; allowed: keys of what they share "
            "(a variant's own value stays), or reduced: {variants: ...}",
        )
    return key, node


def _apply(draft: _Draft, changes: Iterable[tuple[str, Node]], prefix: str = "") -> None:
    """Let later settings replace earlier ones; kinds first, since they decide what else fits."""
    for key, node in sorted(changes, key=lambda change: not change[0].endswith(".kind")):
        if key == variants.BLOCK:
            draft.variants = variants.replaced(draft.variants, node)
            continue
        path = key.removeprefix("axes.")
        if key not in _CHANGES:
            raise unknown(node, prefix + key, path, _SETTINGS if path == key else tuple(PATHS))
        if path != key or (key in draft.axes and (node.is_list or node.is_mapping)):
            draft.axes[path] = node
            continue
        draft.axes.pop(key, None)
        draft.settings[key] = node
        block, _, leaf = key.partition(".")
        if leaf == "kind" and isinstance(node.value, str):
            # What was said about the replaced kind says nothing about the new one.
            draft.settings = fitting(draft.settings, block, node.value)


def _sweep(draft: _Draft, file: str) -> Sweep:
    if "name" not in draft.settings:
        raise refusal(f"{file}:1:1", "name", f"found no such key; allowed: {NAME}")
    settings = {key: setting(key, node) for key, node in draft.settings.items()}
    seeds = settings.get("seeds", (0,))
    named = [variants.said(name, node) for name, node in draft.variants.items()]
    runs = len(seeds) * max(1, len(named))
    if named and runs > MAX_RUNS:
        raise refusal(
            named[0].where, variants.BLOCK, f"found {runs} runs; allowed: at most {MAX_RUNS}"
        )
    axes = _axes(draft, runs)
    variants.refuse_swept(named, {axis.path: axis.where for axis in axes})
    places = {key: node.where for key, node in draft.settings.items()}
    places |= {axis.path: axis.where for axis in axes}
    sources = Sources(file, places, [axis.path for axis in axes])

    said = {path: settings[path] for path in PATHS if path in settings}
    said |= {axis.path: axis.values[0] for axis in axes}
    check_fits(said, sources, _kinds(said, axes, named))
    base, others = build(said, sources)

    def block(name: str) -> dict[str, Any]:
        return {k.partition(".")[2]: v for k, v in settings.items() if k.startswith(f"{name}.")}

    sweep = Sweep(
        settings["name"],
        base,
        tuple(axes),
        seeds,
        Engine(**block("engine")),
        Measure(**block("measure")),
        others,
        _filled(named, said, base, others, sources),
        file,
        MappingProxyType(places),
    )
    static = [axis for axis in axes if not is_traced(axis.path)]
    each = sweep.variants or (None,)
    # Of very many combinations the first are looked at here; planning looks at all of them.
    points = itertools.product(*(axis.values for axis in static))
    for values in itertools.islice(points, -(-MAX_CHECKED // len(each))):
        for variant in each:
            at = {axis.path: v for axis, v in zip(static, values, strict=True)}
            _check_measure(sweep, sweep.at(at, variant))
    return sweep


def _axes(draft: _Draft, runs: int) -> list[Axis]:
    """The axes, their values checked; ``runs`` are those at each of their points."""
    axes: list[Axis] = []
    for path, node in draft.axes.items():
        runs *= length(node, f"axes.{path}")
        if runs > MAX_RUNS:
            raise refusal(
                node.where,
                f"axes.{path}",
                f"found {runs} runs up to this axis; allowed: at most {MAX_RUNS}",
            )
        axes.append(Axis(path, axis_values(path, node), node.key_where))
    return axes


def _kinds(
    said: Mapping[str, Any], axes: Sequence[Axis], named: Sequence[Variant]
) -> dict[str, list[Any]]:
    """Every kind that a sweep has of the blocks whose kind is swept or set by variants."""
    found = {axis.path: list(axis.values) for axis in axes}
    for path, value in (item for variant in named for item in variant.settings):
        if path.endswith(".kind"):
            block = path.removesuffix(".kind")
            base = said.get(path, Experiment.model_fields[block].default.kind)
            found.setdefault(path, [base]).append(value)
    return found


def _filled(
    named: Sequence[Variant],
    said: Mapping[str, Any],
    base: Experiment,
    others: Sequence[tuple[str, Any]],
    sources: Sources,
) -> tuple[Variant, ...]:
    """The variants with everything in which they differ from the base: a kind that one chooses has
    its own defaults, as if the file said no other. Refuses two that are the same."""
    known = {**dict(others), **flat(base)}
    seen: dict[Experiment, str] = {}
    filled: list[Variant] = []
    for variant in named:
        own = dict(variant.settings)
        experiment, _ = build({**said, **own}, replace(sources, variant=variant))
        if experiment in seen:
            label = f"{variants.BLOCK}.{variant.name}"
            raise refusal(
                variant.where,
                label,
                "found the same experiment as variant "
                f"{seen[experiment]}; allowed: variants that differ",
            )
        seen[experiment] = variant.name
        differing = {
            path: value
            for path, value in flat(experiment).items()
            if path not in sources.axes and (path not in known or known[path] != value)
        }
        filled.append(replace(variant, settings=variants.ordered({**differing, **own})))
    return tuple(filled)


def _check_measure(sweep: Sweep, experiment: Experiment) -> None:
    """Snapshots are taken where networks are measured, and of what these networks have."""
    train = experiment.train
    last = train.steps or train.epochs or 0
    for key, found, allowed in _not_measured(experiment):
        if getattr(sweep.measure, key):
            raise refusal(
                sweep.where(f"measure.{key}"),
                f"measure.{key}",
                f"found it with {found}; allowed: {allowed}",
            )
    for step in sweep.measure.steps:
        if step % train.log_every or step > last:
            raise refusal(
                sweep.where("measure.steps"),
                "measure.steps",
                f"found {step}; allowed: multiples of log_every {train.log_every} up to {last}",
            )


def _not_measured(experiment: Experiment) -> Iterator[tuple[str, str, str]]:
    """Keys of ``measure:`` that an experiment cannot have, what is in the way, and what is not."""
    # Measurements are of compiled programs: they load JAX, which the other checks do without.
    from phasegrok.measure import MEASUREMENTS, SCALARS

    measurements = [each for each in (*MEASUREMENTS, *SCALARS) if each.key]
    if experiment.task.kind in TOKENLESS:
        allowed = "tasks whose inputs are tokens, over which weights have a spectrum"
        for each in measurements:
            if each.needs_tokens:
                yield each.key, f"task.kind {experiment.task.kind}", allowed
    if experiment.model.kind == "mixture":
        allowed = "the sweep that trained the networks which a mixture only weighs"
        for each in measurements:
            if each.needs_neurons:
                yield each.key, "model.kind mixture", allowed
