"""One HTML file that needs nothing else: styles, scripts and data are in it.

Its policy forbids every connection. Names from sweeps are data of a JSON block, and the scripts set
them as text.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from collections.abc import Mapping
from importlib.resources import files
from typing import Any, Final

from phasegrok.errors import escaped

__all__ = ["page_text"]

STYLES: Final = ("uplot.css", "style.css")
LIBRARY: Final = "uplot.js"
# Parts of one program, in the order of their use.
SCRIPTS: Final = (
    "data.js",
    "model.js",
    "looks.js",
    "diagram.js",
    "plots.js",
    "cell.js",
    "views.js",
    "app.js",
)
MOST_TITLE: Final = 100
MARK: Final = re.compile(r"<!--([A-Z]+)-->")


def page_text(data: Mapping[str, Any], title: str) -> str:
    """The whole file as text.

    Args:
        data: JSON values.
        title: of the browser's tab.
    """
    style = "\n".join(_read(name) for name in STYLES)
    program = "\n".join(_read(name) for name in SCRIPTS)
    script = f'{_read(LIBRARY)}\n(() => {{\n"use strict";\n{program}\n}})();'
    policy = "; ".join(
        (
            "default-src 'none'",
            f"script-src {_hash(script)}",
            f"style-src {_hash(style)}",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )
    parts = {
        "POLICY": policy,
        "TITLE": html.escape(escaped(title[:MOST_TITLE])),
        "STYLE": style,
        "DATA": _inside_script(data),
        "SCRIPT": script,
    }
    return MARK.sub(lambda found: parts[found[1]], _read("index.html"))


def _read(name: str) -> str:
    return (files("phasegrok.explore") / "page" / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    """The hash by which a policy lets this one block in."""
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def _inside_script(data: Mapping[str, Any]) -> str:
    """JSON that no HTML parser takes for anything but the text of its block."""
    text = json.dumps(data, allow_nan=False, separators=(",", ":"))
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text
