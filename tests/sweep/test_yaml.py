"""YAML text: what is read, what is refused, and that written text reads back."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phasegrok.sweep import yaml as yamlfile
from tests.sweep.conftest import NAME, PROPERTY, SCALARS, Bad, Write, check_refused, refused

ONCE = "each key once"
OUT = "values written out"

# id: (lines after `name: a`, so the first is line 2; where; key; words that must appear)
BAD: dict[str, Bad] = {
    "float overflow": (
        "optimizer: {weight_decay: 1e999}",
        "2:27",
        "optimizer.weight_decay",
        ["found 1e999", "numbers below 1.79e308"],
    ),
    "number too long to convert": (
        f"model: {{width: {'9' * 5000}}}",
        "2:16",
        "model.width",
        ["999...", "below 1.79e308"],
    ),
    "same axis twice": (
        "axes:\n  model.width: [1]\n  model.width: [2]",
        "4:3",
        "axes.model.width",
        ["a second time", "s.yaml:3:3", ONCE],
    ),
    "same key twice": ("loss: mse\nloss: mse", "3:1", "loss", ["a second time", ONCE]),
    "anchor": ("seeds: &s [1]", "2:8", "seeds", ["found an anchor (&)", OUT]),
    "alias": ("seeds: *s", "2:8", "seeds", ["found an alias (*)", OUT]),
    "tag": ("seeds: !!python/tuple [1]", "2:8", "seeds", ["found a tag (!)", "plain values"]),
    "list as a key": ("? [a]\n: 1", "2:3", "", ["found a list as a key", "allowed: a word"]),
    "too deep": (f"loss: {'[' * 30}", "2:27", "loss", ["too deep nesting", "20 levels"]),
    "far too deep": (f"loss: {'{a: ' * 9000}", "", "", ["too deep nesting", "20 levels"]),
    "deep by dashes": (f"loss:\n {'- ' * 9000}", "", "loss", ["too deep nesting", "20 levels"]),
    "unclosed bracket": ("seeds: [1", "2:8", "", ["found [ that is never closed", "allowed: ]"]),
    "tab as indent": ("axes:\n\tloss: [mse]", "3:1", "", ["found a tab", "allowed: spaces"]),
    "control character": ("loss: m\x07se", "2:8", "", ["found a YAML error (", "allowed"]),
    "escape out of range": ('loss: "\\Uffffffff"', "2:", "", ["found a YAML error (", "allowed"]),
    "NUL bytes": ("loss: \0", "2:7", "", ["found a YAML error (", "allowed"]),
    "second document": ("---\nname: b", "2:1", "", ["found a second document", "allowed: one"]),
    "text with line ends, long": (
        f'loss: "a\\nb\\e[31m\\ud800{"c" * 500}"',
        "2:7",
        "loss",
        [r'the text "a\nb\x1b[31m\ud800ccc', '..."', "allowed: mse"],
    ),
}


@pytest.mark.parametrize("case", BAD, ids=str)
def test_yaml_is_refused_in_one_line(case: str, write: Write) -> None:
    """The line begins with the exact position, names the key, what was found and is allowed."""
    check_refused(write, BAD[case])


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", ["s.yaml:1:1: found an empty file", "allowed: a mapping"]),
        (b"\xef\xbb\xbf", ["s.yaml:1:1: found an empty file", "allowed: a mapping"]),
        (b"# nothing\n", ["found an empty file", "allowed: a mapping"]),
        (b"- 1\n", ["s.yaml:1:1: found a list", "allowed: a mapping"]),
        (b"hello", ['s.yaml:1:1: found the text "hello"', "allowed: a mapping"]),
        (b"{}", ["s.yaml:1:1: name: missing", f"required: {NAME}"]),
        (b"name: a\nloss: \xff\n", ["s.yaml:2:7: found bytes that are not UTF-8", "allowed"]),
        ("name: a".encode("utf-16"), ["s.yaml:1:1: ", "allowed"]),
        (bytes(range(256)), ["s.yaml:", "allowed"]),
        (b"\x89PNG\r\n\x1a\n\0\0\0", ["s.yaml:1:1: ", "not UTF-8", "allowed"]),
        (b"#" * 1_000_001, ["s.yaml: ", "more than 1 MB", "allowed: at most 1 MB"]),
    ],
    ids=range(11),
)
def test_files_that_are_no_sweep(content: bytes, words: list[str], write: Write) -> None:
    """Whatever the bytes are, the refusal says what kind of thing the file is instead."""
    line = refused(write(content))
    assert all(word in line for word in words), line


def test_paths_that_are_no_file(tmp_path: Path) -> None:
    """A path that leads to no readable file is a refusal too, and an odd path stays one line."""
    os.mkfifo(tmp_path / "pipe")
    for path, words in [
        (tmp_path / "none.yaml", "none.yaml: no such file; allowed: "),
        (tmp_path, "found a directory; allowed: "),
        (tmp_path / "pipe", "found something that is not a regular file; allowed: "),
        (tmp_path / "a\nb", r"a\nb: no such file; allowed: "),
        (Path("a\0b"), "not a possible path; allowed: "),
        (tmp_path / ("x" * 5000), "cannot be read (File name too long); allowed: "),
    ]:
        assert words in refused(path)


@PROPERTY
@given(st.dictionaries(st.text(min_size=1, max_size=50), SCALARS.filter(lambda v: v != 10**400)))
def test_written_text_reads_back(values: dict[str, Any]) -> None:
    """The writer quotes whatever would read back as something else.

    Keys are kept short: YAML itself ends a plain `key:` at 1024 characters, escapes included.
    """
    node = yamlfile.read_text(yamlfile.write({"top": values, "list": [*values.values()]}), _here)
    found = {k: n.value for k, n in node.value["top"].value.items()}
    assert repr(found) == repr(values)
    assert repr([n.value for n in node.value["list"].value]) == repr([*values.values()])


def _here(line: int, column: int) -> str:
    return f"{line}:{column}"
