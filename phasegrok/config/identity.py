"""What makes two runs, or two sweeps, the same: all that decides their numbers, nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from phasegrok.config import MEASURE_NOTHING, Block, Experiment, is_place, kinds
from phasegrok.config.paths import leaves

# Of the engine block, what decides numbers. The rest says how a sweep runs.
COMPUTES = ("precision",)
# The blocks that identities have always held, even where they say nothing but their kind. A block
# that was added later is left out where it stands at its default.
FIRST_BLOCKS = ("task", "data", "model", "optimizer", "train")


def default(experiment: Experiment, path: str) -> Any:
    """The default of the field at a dotted path, in the experiment's own kinds."""
    block, _, leaf = path.rpartition(".")
    owner = type(getattr(experiment, block)) if block else Experiment
    return owner.model_fields[leaf].default


def without_defaults(values: Mapping[str, Any]) -> dict[str, Any]:
    """An experiment's dump without emptied values and without those equal to their defaults.

    Kinds stay. What identifies a run or a sweep is made from this, so that a key or a block added
    later, whose default is what was done before, leaves the old results' identities alone.

    Args:
        values: a dump of an experiment, or of one from before some of its blocks existed.
    """
    kept: dict[str, Any] = {}
    for name, info in Experiment.model_fields.items():
        if name not in values:  # written before there was such a key or block
            continue
        blocks, value = kinds(info.annotation), values[name]
        if not blocks:
            kept |= {} if value == info.default else {name: value}
            continue
        if name not in FIRST_BLOCKS and value == info.default.model_dump(mode="json"):
            continue
        kind = value.get("kind")
        block = next(b for b in blocks if kind is None or kind == b.model_fields["kind"].default)
        defaults = {leaf: field.default for leaf, field in block.model_fields.items()}
        places = {leaf for leaf, field in block.model_fields.items() if is_place(field)}
        kept[name] = {
            leaf: inner
            for leaf, inner in value.items()
            if inner is not None
            and (leaf == "kind" or inner != defaults.get(leaf))
            and leaf not in places  # what lies there tells
        }
    return kept


def placeless(block: Block) -> dict[str, Any]:
    """A block's values but for those that say where files lie."""
    declared = type(block).model_fields
    return {name: value for name, value in block if not is_place(declared[name])}


def identity(resolved: dict[str, Any]) -> dict[str, Any]:
    """What a resolved sweep computes; keys that stand at their defaults are left out."""
    engine = {k: resolved["engine"][k] for k in COMPUTES}
    usual = MEASURE_NOTHING.model_dump(mode="json")
    measure = {k: v for k, v in resolved.get("measure", {}).items() if v != usual.get(k)}
    rest = {k: resolved[k] for k in ("axes", "seeds")}
    named = {
        name: without_defaults(with_settings(resolved, settings))
        for name, settings in resolved.get("variants", {}).items()
    }
    rest |= {"measure": measure, "engine": engine} | ({"variants": named} if named else {})
    return without_defaults(resolved) | rest


def with_settings(values: Mapping[str, Any], settings: Mapping[str, Any]) -> dict[str, Any]:
    """An experiment's dump with a variant's settings, and without what only replaced kinds have."""
    changed: dict[str, Any] = {}
    for name, info in Experiment.model_fields.items():
        if name not in values and not any(p.partition(".")[0] == name for p in settings):
            continue
        if not kinds(info.annotation):
            changed[name] = settings.get(name, values.get(name))
            continue
        own = {p.partition(".")[2]: v for p, v in settings.items() if p.startswith(f"{name}.")}
        base = values.get(name, {})
        fits = leaves(name, [own["kind"]]) if "kind" in own else {*base, *own}
        changed[name] = {k: v for k, v in {**base, **own}.items() if k in fits}
    return changed


def differences(old: Any, new: Any, path: str = "") -> Iterator[str]:
    """``path: old -> new`` for every value in which two nested mappings differ."""
    if isinstance(old, dict) and isinstance(new, dict) and path != "axes":
        for key in dict.fromkeys([*old, *new]):
            yield from differences(old.get(key), new.get(key), f"{path}.{key}" if path else key)
    elif path == "axes":
        for key in dict.fromkeys([*old, *new]):
            if old.get(key) != new.get(key):
                yield f"axes {key}: {short(old.get(key))} -> {short(new.get(key))}"
    elif old != new:
        yield f"{path}: {short(old)} -> {short(new)}"


def short(value: Any) -> str:
    text = "absent" if value is None else str(value)
    return text if len(text) <= 48 else text[:45] + "..."
