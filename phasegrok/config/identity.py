"""When two runs, or two sweeps, are the same: when everything that decides their numbers is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from phasegrok.config import MEASURE_NOTHING, Block, Experiment, is_file_path, kinds
from phasegrok.config.paths import leaves
from phasegrok.errors import short

# What the package computes, as a number that goes up when the same run of the same sweep comes to
# other numbers than before, beyond rounding: a mended formula, another order of random draws. Each
# entry says what changed. A folder goes on only with the number that it was begun with.
NUMERICS_CHANGES: Final[Mapping[int, str]] = {1: "as at first"}
NUMERICS: Final = max(NUMERICS_CHANGES)

# The keys of the engine block that decide numbers. The others say how a sweep runs.
COMPUTES = ("precision",)
# Identities have always held these blocks, even with nothing but their kind. A block that was added
# later is left out where it stands at its default.
FIRST_BLOCKS = ("task", "data", "model", "optimizer", "train")
# The keys of a resolved sweep that are not part of its experiments.
OTHER_KEYS = ("name", "variants", "axes", "zip", "seeds", "measure", "engine", "refine")


def default(experiment: Experiment, path: str) -> Any:
    """The default of the field at a dotted path, in the experiment's own kinds."""
    block, _, leaf = path.rpartition(".")
    owner = type(getattr(experiment, block)) if block else Experiment
    return owner.model_fields[leaf].default


def without_defaults(values: Mapping[str, Any]) -> dict[str, Any]:
    """An experiment's dump without empty values and without those equal to their defaults.

    Kinds stay. Runs and sweeps are identified by the result. So a key or a block that is added
    later, and whose default is what was done before, leaves the identities of old results alone.

    Args:
        values: a dump of an experiment. Blocks that did not exist when it was written are absent.
    """
    kept: dict[str, Any] = {}
    for name, info in Experiment.model_fields.items():
        if name not in values:
            continue
        value = values[name]
        if not kinds(info.annotation):
            kept |= {} if value == info.default else {name: value}
        elif name in FIRST_BLOCKS or value != info.default.model_dump(mode="json"):
            kept[name] = _block_without_defaults(name, value)
    return kept


def _block_without_defaults(name: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of one block that are not defaults. Keys unknown to this version stay."""
    kind = values.get("kind")
    declared = next(
        (
            block.model_fields
            for block in kinds(Experiment.model_fields[name].annotation)
            if kind is None or kind == block.model_fields["kind"].default
        ),
        {},
    )
    return {
        leaf: value
        for leaf, value in values.items()
        if value is not None
        and (leaf == "kind" or leaf not in declared or value != declared[leaf].default)
        # The hash of a file's content stands in for its path.
        and not (leaf in declared and is_file_path(declared[leaf]))
    }


def names_files(block: type[Block]) -> bool:
    """Whether a kind of a block has keys that say where files lie."""
    return any(map(is_file_path, block.model_fields.values()))


def without_file_paths(block: Block) -> dict[str, Any]:
    """The values of a block, without those that say where files lie."""
    declared = type(block).model_fields
    return {name: value for name, value in block if not is_file_path(declared[name])}


def identity(resolved: dict[str, Any]) -> dict[str, Any]:
    """What a resolved sweep computes. Keys that stand at their defaults are left out."""
    known = (*Experiment.model_fields, *OTHER_KEYS)
    usual = MEASURE_NOTHING.model_dump(mode="json")
    found = without_defaults(resolved)
    found |= {k: v for k, v in resolved.items() if k not in known}  # of a later version
    found |= {k: resolved[k] for k in ("axes", "zip", "seeds") if k in resolved}
    found["measure"] = {k: v for k, v in resolved.get("measure", {}).items() if v != usual.get(k)}
    found["engine"] = {k: resolved["engine"][k] for k in COMPUTES}
    named = {
        name: without_defaults(with_settings(resolved, settings))
        for name, settings in resolved.get("variants", {}).items()
    }
    return found | ({"variants": named} if named else {})


def with_settings(values: Mapping[str, Any], settings: Mapping[str, Any]) -> dict[str, Any]:
    """An experiment's dump with a variant's settings, without keys that only replaced kinds have.

    Args:
        values: a dump of an experiment.
        settings: values by dotted path.
    """
    changed: dict[str, Any] = {}
    for name, info in Experiment.model_fields.items():
        changes = {p.partition(".")[2]: v for p, v in settings.items() if p.split(".")[0] == name}
        if name not in values and not changes:
            continue
        if not kinds(info.annotation):
            changed[name] = settings.get(name, values.get(name))
            continue
        block = {**values.get(name, {}), **changes}
        known = leaves(name, [changes["kind"]]) if "kind" in changes else set(block)
        # An unknown kind is one of a later version. Which keys it has is unknown too.
        changed[name] = {k: v for k, v in block.items() if k in known or not known}
    return changed


def differences(old: Any, new: Any, path: str = "") -> Iterator[str]:
    """``path: old -> new`` for every value in which two nested mappings differ."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in dict.fromkeys([*old, *new]):
            # The keys of axes are dotted paths themselves.
            inner = f"{path} {key}" if path == "axes" else f"{path}.{key}" if path else key
            yield from differences(old.get(key), new.get(key), inner)
    elif old != new:
        yield f"{path}: {_text(old)} -> {_text(new)}"


def _text(value: Any) -> str:
    return "absent" if value is None else short(str(value))
