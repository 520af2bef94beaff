"""Sphinx settings: Markdown pages, the furo theme, the Python interface from its docstrings."""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))  # this checkout, whatever else is installed

from sphinx.application import Sphinx  # noqa: E402

from phasegrok import __version__  # noqa: E402

project = "phasegrok"
copyright = "the phasegrok authors, MIT license"
version = release = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build"]
# Pages that are found by a pattern may not be there yet.
suppress_warnings = ["toc.empty_glob"]

myst_heading_anchors = 4  # links to headings are GitHub's
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
python_use_unqualified_type_names = True

html_theme = "furo"
html_title = "phasegrok"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_sphinx = False
html_copy_source = False


def outside(app: object, docname: str, source: list[str]) -> None:
    """Links to Markdown outside docs/, which are pages on GitHub, are files to look at here."""
    source[0] = re.sub(
        r"\[([^\]]*)\]\((\.\./(?!results/)[\w./-]+\.md)\)", r"{download}`\1 <\2>`", source[0]
    )


def setup(app: Sphinx) -> None:
    """Called by Sphinx."""
    app.connect("source-read", outside)
