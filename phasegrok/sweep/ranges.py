"""Lists of values, and ranges that stand for lists: {start, stop, num, scale}."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Any

from phasegrok.errors import Refusal, refusal, short
from phasegrok.sweep import hints
from phasegrok.sweep.yaml import Node

# A run costs planning about 30 us and 1 kB, and the manifest 20 bytes.
MAX_RUNS = 1_000_000
RANGE_KEYS = ("start", "stop", "num", "scale")
SCALES = ("linear", "log")
MOST_LISTED = 12  # keys in a message
WORDS = "a list of at least one value, or {start, stop, num}"


def unknown(
    node: Node, key: str, word: str, allowed: Sequence[str], shown: Sequence[str] = ()
) -> Refusal:
    """The refusal of a key that is not allowed. It names what is most likely meant.

    Args:
        node: its value.
        key: with the path of the block that it stands in.
        word: the key alone.
        allowed: keys there.
        shown: those of them to list, if not all.
    """
    if path := hints.nested(word, node, allowed):
        what = f"found a block in place of a dotted path; allowed: dotted paths, such as {path}"
        return refusal(node.key_where, key, what)
    near = hints.of_path(word, shown, allowed)
    if near is None:
        block = key.removesuffix(word).strip(".").rpartition(".")[2]
        near = hints.instead_of(word, allowed, block)
    hint = f"; did you mean {near}?" if near else ""
    words = _listed(shown or allowed, word, near)
    return refusal(node.key_where, key, f"unknown key{hint} (allowed{words})")


def _listed(allowed: Sequence[str], word: str, near: str) -> str:
    """Keys; of many, those of one block where it is plain which."""
    blocks = dict.fromkeys(path.partition(".")[0] for path in allowed if "." in path)
    if len(allowed) <= MOST_LISTED or not blocks:
        return f": {', '.join(allowed)}"
    block = next((each.partition(".")[0] for each in (near, word) if "." in each), "")
    if block in blocks:
        leaves = [path.partition(".")[2] for path in allowed if path.startswith(f"{block}.")]
        return f" in {block}: {', '.join(leaves)}"
    alone = "".join(f"{path}, " for path in allowed if "." not in path)
    return f": {alone}BLOCK.KEY with a block of {', '.join(blocks)}; see: phasegrok keys"


def wrong(node: Node, label: str, allowed: str) -> Refusal:
    """The refusal of a value that a key does not take."""
    return refusal(node.where, label, f"found {node.for_display()}; allowed: {allowed}")


def repeated(node: Node, label: str, allowed: str = "each value once") -> Refusal:
    """The refusal of a value that a list has already."""
    what = f"found {node.for_display()} a second time; allowed: {allowed}"
    return refusal(node.where, label, what)


def length(node: Node, label: str) -> int:
    """How many values an axis, or seeds, have. None of the values is looked at yet."""
    if node.is_mapping:
        return _count(node, label)
    if not node.is_list or not node.value:
        one = "" if node.is_list or node.value is None else f" (write [{short(node.text)}])"
        raise wrong(node, label, f"{WORDS}{one}")
    count = sum(_count(item, label) if item.is_mapping else 1 for item in node.value)
    if count > MAX_RUNS:
        raise refusal(node.where, label, f"found {count} values; allowed: at most {MAX_RUNS}")
    return count


def items(node: Node, label: str) -> Iterable[Node]:
    """The values of a list, of a range, or of a list with ranges in it, unchecked."""
    length(node, label)
    for item in node.value if node.is_list else [node]:
        if item.is_mapping:
            yield from _range(item)
        else:
            yield item


def _count(node: Node, label: str) -> int:
    """The number of values of a range, every key of which is checked."""
    for key, inner in node.value.items():
        if key not in RANGE_KEYS:
            meant = hints.range_key(key, node.value)
            near = meant or (difflib.get_close_matches(key[:100], RANGE_KEYS, n=1) or [""])[0]
            hint = f"; did you mean {near}?" if near else ""
            what = f"unknown key{hint} (allowed: start, stop, num (how many values), scale)"
            raise refusal(inner.key_where, f"{label}.{key}", what)
        if key in ("start", "stop") and not _is_finite(inner.value):
            raise wrong(inner, f"{label}.{key}", "a number")
    for key in ("start", "stop", "num"):
        if key not in node.value:
            raise refusal(node.where, f"{label}.{key}", "missing; required: start, stop and num")
    num = node.value["num"]
    if type(num.value) is not int or not 1 <= num.value <= MAX_RUNS:
        raise wrong(num, f"{label}.num", f"a whole number at least 1 and at most {MAX_RUNS}")
    if _scale(node, label) == "log":
        for key in ("start", "stop"):
            if not node.value[key].value > 0:
                raise wrong(
                    node.value[key],
                    f"{label}.{key}",
                    "a number above 0 where scale is log (0 may stand beside the range, in a list:"
                    " [0, {start: 0.1, stop: 10, num: 3, scale: log}])",
                )
    return int(num.value)


def _scale(node: Node, label: str) -> str:
    if "scale" not in node.value:
        return "linear"
    scale = node.value["scale"]
    if scale.value not in SCALES:
        raise wrong(scale, f"{label}.scale", "linear or log")
    return str(scale.value)


def _is_finite(value: Any) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and abs(value) < float("inf")


def _range(node: Node) -> Iterator[Node]:
    """The values of a range, both ends included, rounded to 12 significant digits."""
    num = int(node.value["num"].value)
    start, stop = (str(node.value[key].value) for key in ("start", "stop"))
    spaced = _logarithmic if "scale" in node.value and node.value["scale"].value == "log" else _even
    for text in spaced(start, stop, num):
        value: float = float(text)
        if value.is_integer():
            value = int(value)  # accepted by fields of either number type
        yield Node(value, node.where, node.key_where, str(value))


def _even(start: str, stop: str, num: int) -> Iterator[str]:
    """Evenly spaced numbers.

    They are computed as exact fractions of the numbers as written. So 0.1 .. 0.9 in 17 steps has
    0.15 in it, and a range across zero has 0, for which floating-point steps would give 1e-17.
    """
    first, last = Fraction(start), Fraction(stop)
    unit = first.denominator * last.denominator * max(num - 1, 1)
    begin = int(first * unit)
    step = int((last - first) * unit) // max(num - 1, 1)
    for i in range(num):
        yield f"{(begin + i * step) / unit:.12g}"


def _logarithmic(start: str, stop: str, num: int) -> Iterator[str]:
    """Numbers whose logarithms are evenly spaced.

    With 40 digits, so that decades come out as they are written: 0.001, 0.01, 0.1.
    """
    with localcontext(prec=40):
        first, last = Decimal(start), Decimal(stop)
        step = (last / first).ln() / max(num - 1, 1)
        for i in range(num):
            yield f"{first * (step * i).exp():.12g}"
