"""What a key or a value that is not allowed most likely stands for.

Other tools and papers have other names for the same things. A hint names what a sweep file calls
them; nothing is ever guessed silently.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Final

from phasegrok.config import OTHER_PATHS, PATHS, Experiment
from phasegrok.config.paths import default_kind, leaves
from phasegrok.sweep.yaml import Node

__all__ = ["SHORT_NAMES", "instead_of", "nested", "of_kinds", "of_path", "range_key", "value_meant"]

# What other tools, papers and habits call a key, in lower case.
SHORT_NAMES: Final[Mapping[str, str]] = {
    "lr": "optimizer.learning_rate",
    "eta": "optimizer.learning_rate",
    "step_size": "optimizer.learning_rate",
    "wd": "optimizer.weight_decay",
    "decay": "optimizer.weight_decay",
    "lambda": "optimizer.weight_decay",
    "l2": "optimizer.weight_decay",
    "beta_1": "optimizer.beta1",
    "beta_2": "optimizer.beta2",
    "optim": "optimizer",
    "optimiser": "optimizer",
    "alpha": "data.data_fraction",
    "fraction": "data.data_fraction",
    "train_fraction": "data.data_fraction",
    "frac_train": "data.data_fraction",
    "xi": "data.corruption_fraction",
    "noise": "data.corruption_fraction",
    "label_noise": "data.corruption_fraction",
    "corruption": "data.corruption_fraction",
    "p": "task.modulus",
    "mod": "task.modulus",
    "prime": "task.modulus",
    "op": "task.operation",
    "k": "task.parity_bits",
    "n": "model.width",
    "hidden": "model.width",
    "hidden_size": "model.width",
    "hidden_dim": "model.width",
    "neurons": "model.width",
    "d": "model.embedding",
    "d_model": "model.embedding",
    "n_layers": "model.depth",
    "n_heads": "model.heads",
    "num_layers": "model.layers",
    "num_heads": "model.heads",
    "act": "model.activation",
    "init": "model.initialization",
    "norm": "model.normalization",
    "dropout_rate": "model.dropout",
    "p_drop": "model.dropout",
    "loss_fn": "loss",
    "objective": "loss",
    "batch": "train.batch_size",
    "bs": "train.batch_size",
    "n_steps": "train.steps",
    "num_steps": "train.steps",
    "iterations": "train.steps",
    "n_epochs": "train.epochs",
    "num_epochs": "train.epochs",
    "log_interval": "train.log_every",
    "eval_every": "train.log_every",
    "seed": "seeds",
    "n_seeds": "seeds",
    "num_seeds": "seeds",
    "grid": "axes",
    "sweep": "axes",
    "chunk_size": "engine.chunk",
}
RANGE_NAMES: Final[Mapping[str, str]] = {
    **dict.fromkeys(("from", "min", "low", "begin", "first"), "start"),
    **dict.fromkeys(("to", "max", "high", "end", "last"), "stop"),
    **dict.fromkeys(("step", "count", "n", "number", "steps", "points", "length"), "num"),
    **dict.fromkeys(("space", "spacing", "type", "kind"), "scale"),
}
BLOCKS: Final = {path.partition(".")[0] for path in PATHS if "." in path}
YES: Final = {"yes": "true", "on": "true", "y": "true", "no": "false", "off": "false", "n": "false"}
LEAST_LIKENESS: Final = 0.6
GREAT_LIKENESS: Final = 0.8  # so near that nothing of another place is meant


def instead_of(word: str, allowed: Sequence[str], block: str = "") -> str:
    """The key that a word most likely means, with its place where that is another one.

    Args:
        word: that was found.
        allowed: the keys that may stand there.
        block: in which it stands, if in one.

    Returns:
        For "did you mean"; empty where nothing is near.
    """
    path = SHORT_NAMES.get(word.lower())
    candidates = [path] if path else []
    # A bare leaf name stands for a path that ends in it, in this place or in another.
    candidates += [name for name in (*allowed, *PATHS, *OTHER_PATHS) if name.endswith(f".{word}")]
    candidates += [word] if word in PATHS or word in Experiment.model_fields else []
    for candidate in candidates:
        inside = candidate.removeprefix(f"{block}.") if block else candidate
        if inside in allowed:
            return inside
    near = difflib.get_close_matches(word[:100], allowed, 1, LEAST_LIKENESS)
    surely = difflib.get_close_matches(word[:100], near, 1, GREAT_LIKENESS)
    if surely and not path:
        return surely[0]
    if candidates and block != candidates[0].partition(".")[0]:
        return _placed(candidates[0])
    if near:
        return near[0]
    tails = {name.rpartition(".")[2]: name for name in (*OTHER_PATHS, *PATHS)}
    near = difflib.get_close_matches(word[:100], tails, 1, GREAT_LIKENESS)
    if not near:
        return ""
    meant = tails[near[0]]
    return meant if meant in allowed else _placed(meant)


def of_path(word: str, *allowed: Sequence[str]) -> str | None:
    """The path that a dotted one most likely means, where its block is right.

    Args:
        word: that was found.
        allowed: dotted paths; what is near in earlier ones is meant first.

    Returns:
        As :func:`instead_of`; None where there is no such block.
    """
    block, _, leaf = word.rpartition(".")
    places = [
        [p.rpartition(".")[2] for p in each if p.rpartition(".")[0] == block] for each in allowed
    ]
    if not block or not any(places):
        return None
    found = [instead_of(leaf, inside, block) for inside in places]
    for near, inside in zip(found, places, strict=True):
        part = next((name for name in inside if leaf in name.split("_")), "")
        if near in inside or (part and not near):
            return f"{block}.{near or part}"
    return found[-1]


def _placed(path: str) -> str:
    """A path with the block that it is written in."""
    block, _, leaf = path.rpartition(".")
    return f"{path} (in the block {block}: {leaf})" if block else f"{path} (a block of its own)"


def nested(word: str, node: Node, allowed: Iterable[str]) -> str:
    """The dotted path to write where a block stands inside a list of paths; empty elsewhere."""
    if not node.is_mapping or word not in BLOCKS:
        return ""
    inside = [path for path in allowed if path.startswith(f"{word}.")]
    if not inside:
        return ""
    for leaf in node.value:
        path = f"{word}.{leaf}"
        if path in inside:
            return path
        if SHORT_NAMES.get(leaf.lower()) in inside:
            return SHORT_NAMES[leaf.lower()]
    return inside[0]


def of_kinds(paths: Iterable[str], kinds: Mapping[str, Iterable[str]]) -> tuple[str, ...]:
    """The paths that these kinds have: a list of all kinds' keys helps nobody.

    Args:
        paths: dotted paths, of which those without kinds are kept.
        kinds: by block the kinds that a file names; a block that it does not name has its default.
    """
    found = []
    for path in paths:
        block, _, leaf = path.rpartition(".")
        known = leaves(block, kinds.get(block) or [default_kind(block)]) if block in BLOCKS else ()
        if not known or leaf in known:
            found.append(path)
    return tuple(found)


def range_key(word: str, node: Mapping[str, Node]) -> str:
    """The key of a range that a word most likely means; for a step, with the number it makes."""
    meant = RANGE_NAMES.get(word.lower(), "")
    if word.lower() != "step":
        return meant
    try:
        start, stop, step = (
            Fraction(str(node[key].value)) for key in ("start", "stop", word) if key in node
        )
        count = (stop - start) / step + 1
    except (ValueError, ZeroDivisionError):
        return meant
    whole = count.denominator == 1 and 1 <= count < 10**6
    return f"num: {count}" if whole else meant


def value_meant(node: Node, choices: Sequence[str], whole: bool, number: bool) -> str:
    """What to write instead of a value, where that is plain; empty elsewhere.

    Args:
        node: the value.
        choices: words that the key takes.
        whole: whether it takes whole numbers.
        number: whether it takes other numbers.
    """
    if isinstance(node.value, float) and whole and node.value.is_integer():
        return f"write {int(node.value)}" if abs(node.value) < 2**53 else ""
    if not isinstance(node.value, str):
        return ""
    text = node.value.strip()
    if "true" in choices and text.lower() in YES:
        return f"write {YES[text.lower()]}"
    if "null" in choices and text.lower() in ("none", "nil", "no", "off"):
        return "write null"
    if whole or number:
        for plain in _plain_numbers(text):
            if whole and plain.denominator == 1:
                return f"write {plain}"
            if number:
                return f"write {float(plain):g}"
    words = [word for word in choices if word[:1].isalpha() and " " not in word]
    near = difflib.get_close_matches(text[:100].lower(), words, 1, LEAST_LIKENESS)
    return f"did you mean {near[0]}?" if near else ""


def _plain_numbers(text: str) -> Iterator[Fraction]:
    """The number that a text in quotes, with thousands or a comma, is; nothing where it is none."""
    if len(text) > 30 or "/" in text:
        return
    parts = text.replace("_", "").split(",")
    thousands = len(parts) > 1 and all(len(part) == 3 for part in parts[1:])
    joined = ("" if thousands else ".").join(parts)
    try:
        value = float(joined)
        if abs(value) < 1e15:
            yield Fraction(joined)
    except ValueError:
        return
