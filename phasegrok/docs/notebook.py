"""docs/notebook.ipynb, from docs/notebook.md: text and Python blocks become cells."""

from __future__ import annotations

import json
import re
from typing import Any

__all__ = ["cells", "notebook"]

BLOCK = re.compile(r"^```python\n(.*?)^```\n", re.M | re.S)
# What only the page shows, as what a cell shows by itself when it runs.
PAGE_ONLY = re.compile(r"^<!-- page -->\n.*?^<!-- end -->\n", re.M | re.S)


def cells(page: str) -> list[tuple[str, str]]:
    """Kind and text of every cell: ``markdown`` or ``code``, in order."""
    found, place = [], 0
    text = PAGE_ONLY.sub("", page)
    for block in BLOCK.finditer(text):
        found += [("markdown", text[place : block.start()]), ("code", block[1])]
        place = block.end()
    found.append(("markdown", text[place:]))
    return [(kind, each.strip("\n")) for kind, each in found if each.strip()]


def notebook(page: str) -> str:
    """The notebook of a page as JSON text, without outputs.

    Args:
        page: Markdown with Python blocks.
    """
    return (
        json.dumps(
            {
                "cells": [_cell(i, *each) for i, each in enumerate(cells(page))],
                "metadata": {
                    "kernelspec": {
                        "display_name": "Python 3",
                        "language": "python",
                        "name": "python3",
                    },
                    "language_info": {"name": "python"},
                },
                "nbformat": 4,
                "nbformat_minor": 5,
            },
            indent=1,
            ensure_ascii=False,
        )
        + "\n"
    )


def _cell(number: int, kind: str, text: str) -> dict[str, Any]:
    cell: dict[str, Any] = {
        "cell_type": kind,
        "id": f"cell-{number}",
        "metadata": {},
        "source": text.splitlines(keepends=True),
    }
    return cell | ({"execution_count": None, "outputs": []} if kind == "code" else {})
