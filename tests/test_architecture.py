"""docs/architecture.md holds: rooms import from rooms above them, and files stay short."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "phasegrok"
MOST_LINES = 400
FILES = sorted(PACKAGE.rglob("*.py"))
# The command needs a place under the name that users know it by.
HANDS_OVER = {("sweep/__main__.py", "cli")}


def documented_rooms() -> list[str]:
    """The rooms in the order of the page's table."""
    page = (ROOT / "docs" / "architecture.md").read_text()
    table = page.partition("## Rooms")[2].partition("\n## ")[0]
    return re.findall(r"^\| `(\w+)(?:/|\.py)` \|", table, re.M)


def room_of(file: Path) -> str:
    inside = file.relative_to(PACKAGE)
    return inside.parts[0] if len(inside.parts) > 1 else inside.stem


def imported_rooms(file: Path) -> Iterator[str]:
    """The rooms that a file imports from, anywhere in it."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        yield from (name.split(".")[1] for name in names if name.startswith("phasegrok."))


def test_the_page_names_every_room() -> None:
    """A room that is not in the table, or a row without a room, is a page that has grown old."""
    rooms = {room_of(file) for file in FILES} - {"__init__"}
    assert sorted(documented_rooms()) == sorted(rooms)


@pytest.mark.parametrize("file", FILES, ids=lambda f: str(f.relative_to(PACKAGE)))
def test_imports_point_one_way(file: Path) -> None:
    """The order of the table is a topological one, so there can be no circle among rooms."""
    if file == PACKAGE / "__init__.py":
        return  # the public API may offer what any room has
    order = documented_rooms()
    room, name = room_of(file), str(file.relative_to(PACKAGE))
    for other in imported_rooms(file):
        if other == "__version__" or (name, other) in HANDS_OVER:
            continue
        assert order.index(other) <= order.index(room), f"{name} imports from {other}"


@pytest.mark.parametrize("folder", ["phasegrok", "tests", "benchmarks"])
def test_files_are_short_and_formatted(folder: str) -> None:
    """Files that one reads in a sitting; no call that the formatter may not have."""
    skip = "fmt: " + "skip"
    for file in (ROOT / folder).rglob("*.py"):
        text = file.read_text()
        assert len(text.splitlines()) <= MOST_LINES, file
        assert skip not in text, file


def test_tests_mirror_the_package() -> None:
    """tests/ROOM/test_NAME.py tests phasegrok/ROOM/NAME.py or the room as a whole."""
    for folder in (ROOT / "tests").rglob("*"):
        if folder.is_dir() and folder.name != "__pycache__":
            assert (PACKAGE / folder.relative_to(ROOT / "tests")).is_dir(), folder
