"""Whatever a file or a ``--set`` says, it is a sound sweep or it is refused, a line a mistake."""

from __future__ import annotations

import copy
import math
import re
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from phasegrok.config import PATHS
from phasegrok.errors import Refusal
from phasegrok.sweep.load import dump, load
from tests.sweep.conftest import PROPERTY, SCALARS, WD


def loads_or_refuses(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "s.yaml"
        path.write_bytes(content)
        for reduced in (False, True):
            try:
                sweep = load(path, reduced=reduced)
            except Refusal as refusal:
                lines = str(refusal).split("\n")
                assert all(line.isprintable() for line in lines) and len(lines) <= 11
                assert lines[0].startswith(str(path))
            else:
                path.write_text(dump(sweep))
                assert load(path) == sweep
                path.write_bytes(content)


@st.composite
def mangled(draw: st.DrawFn) -> bytes:
    """The sample file after a few edits of its lines and bytes."""
    lines = WD.encode().splitlines(keepends=True)
    for _ in range(draw(st.integers(1, 3))):
        i, j = (draw(st.integers(0, len(lines) - 1)) for _ in range(2))
        edit = draw(st.sampled_from(["delete", "duplicate", "swap", "bytes", "cut", "indent"]))
        if edit == "delete" and len(lines) > 1:
            del lines[i]
        elif edit == "duplicate":
            lines.insert(j, lines[i])
        elif edit == "swap":
            lines[i], lines[j] = lines[j], lines[i]
        elif edit == "indent":
            lines[i] = b"  " + lines[i]
        else:
            at = draw(st.integers(0, len(lines[i])))
            syntax = st.text("{}[]:,&*!#|>%@'\"\\-?. \t\n\r0e~<", max_size=4).map(str.encode)
            junk = b"" if edit == "cut" else draw(st.binary(max_size=4) | syntax)
            lines[i] = lines[i][:at] + junk + lines[i][at + draw(st.integers(0, 3)) :]
    return b"".join(lines)


@PROPERTY
@given(mangled())
def test_a_mangled_file_loads_or_is_refused(content: bytes) -> None:
    """Whatever is edited in a sweep file, load() gives a sound sweep or one line."""
    loads_or_refuses(content)


JUNK = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
KEYS = (
    st.sampled_from([*PATHS, "axes", "seeds", "zip", "name", "start", "num", "kind", "x"])
    | st.text()
)


def as_yaml(value: Any) -> str:
    """Flow style. It is written here, because the reader should not be tested by its own writer."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{as_yaml(str(k))}: {as_yaml(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(as_yaml, value)) + "]"
    if isinstance(value, float) and not math.isfinite(value):
        return ".nan" if math.isnan(value) else f"{'-' * (value < 0)}.inf"
    if isinstance(value, str):
        return '"' + "".join(f"\\U{ord(c):08x}" for c in value) + '"'
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return str(value)


TREE: dict[str, Any] = {
    "name": "wd",
    "task": {"kind": "modular", "operation": "addition", "modulus": 97},
    "model": {"kind": "mlp", "width": 500, "depth": 2, "activation": "quadratic"},
    "loss": "mse",
    "optimizer": {"kind": "adamw", "learning_rate": 0.01, "beta1": 0.9},
    "train": {"steps": 2000, "batch_size": "full", "log_every": 20},
    "variants": {"a": {}, "b": {"model.width": 64, "model.kind": "mlp"}},
    "axes": {
        "data.data_fraction": {"start": 0.1, "stop": 0.9, "num": 17},
        "optimizer.kind": ["adamw", "sgd"],
        "train.steps": [100, 200],
    },
    "seeds": [0, 1],
    "engine": {"mapping": "auto", "chunk": "auto"},
    "reduced": {
        "train.steps": 200,
        "axes": {"data.data_fraction": [0.3]},
        "variants": {"a": None, "c": {}},
    },
}


@st.composite
def replaced(draw: st.DrawFn) -> Any:
    """The tree with a value or key somewhere in it replaced, added or removed."""
    tree = copy.deepcopy(TREE)
    for _ in range(draw(st.integers(1, 3))):
        spot: Any = tree
        while True:
            keys = list(spot) if isinstance(spot, dict) else list(range(len(spot)))
            if not keys:
                break
            key = draw(st.sampled_from(keys))
            if isinstance(spot[key], dict | list) and draw(st.booleans()):
                spot = spot[key]
                continue
            if draw(st.integers(0, 9)) == 0:
                del spot[key]
            elif isinstance(spot, dict) and draw(st.integers(0, 4)) == 0:
                spot[draw(KEYS)] = spot.pop(key)
            else:
                spot[key] = draw(JUNK)
            break
    return tree


@PROPERTY
@given(replaced())
def test_a_tree_with_junk_loads_or_is_refused(tree: Any) -> None:
    """The same for any values and keys in well-formed YAML."""
    # A range may be as long as a sweep may have runs, which would only take time here.
    content = re.sub(r"\d{6,}(?=[,}])", lambda m: m[0] if len(m[0]) > 7 else "7", as_yaml(tree))
    loads_or_refuses(content.encode())


@PROPERTY
@given(st.sampled_from([*PATHS, "seeds", "engine.chunk", "name"]) | KEYS, JUNK, st.booleans())
def test_any_override_loads_or_is_refused(key: str, value: Any, axis: bool) -> None:
    """The same for --set, whatever the key and value."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "s.yaml"
        path.write_text("name: a\naxes: {optimizer.kind: [adamw, sgd]}\n")
        override = f"{'axes.' * axis}{key}={as_yaml(value)}"
        try:
            load(path, [override])
        except Refusal as refusal:
            assert all(line.isprintable() for line in str(refusal).split("\n"))
