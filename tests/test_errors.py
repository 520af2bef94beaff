"""A refusal is one printable line, whatever a file or an argument holds."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from phasegrok.cli.status import status_text
from phasegrok.errors import Refusal
from phasegrok.results.folder import Folder


@pytest.mark.parametrize("text", ["\x1b[31m", "a\nb", "\udc80", "\u202e", "\0"])
def test_a_refusal_is_printable(text: str) -> None:
    """Escape characters, line ends and halves of characters come out as backslash escapes."""
    line = str(Refusal(f"--at {text}: found {text}"))
    assert line.isprintable() and "\\" in line and line.encode()
    assert str(Refusal("é ξ \\n")) == "é ξ \\n"


def test_a_status_is_printable(tmp_path: Path) -> None:
    """A manifest from elsewhere cannot colour a terminal, or worse."""
    manifest = {
        "name": "x\x1b[31m",
        "axes": [],
        "sweep": {},
        "runs": 1,
        "sessions": [],
        "device": "\x07",
    }
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    lines = status_text(Folder(tmp_path)).split("\n")
    assert all(line.isprintable() for line in lines)
    assert lines[0].startswith("x\\x1b[31m: 0/1 runs")
