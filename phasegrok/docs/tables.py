"""docs/tables.md: every table and column, from their meanings."""

from __future__ import annotations

from collections.abc import Iterator

from phasegrok.meanings import TABLES, About

__all__ = ["page"]

HEAD = """\
# Tables and columns

Written by `python -m phasegrok.docs` from `phasegrok/meanings/`; do not edit. How tables are
stored, and how labels are decided, is in [contracts](contracts.md#result-folder).

Every table is Parquet, for any reader: `pandas.read_parquet("results/NAME/runs")`. A name with `*`
stands for one column a weight matrix, such as `norm_u`. Between `run` and `seed` stands every swept
column, under the last word of its path: `weight_decay` of `optimizer.weight_decay`
([what each of them is](sweep-files.md)). `runs` has the other numbers of the sweep file too.

The words are in the files:

```python
import pyarrow.parquet as pq

column = pq.read_schema("results/inside/cells.parquet").field("mean_ipr")
column.metadata[b"meaning"], column.metadata[b"unit"], column.metadata[b"source"]
```

Files that an earlier version wrote have no words. They read as before. A measurement of your own
says what its columns mean with [`phasegrok.meanings.declare`](python.md#what-columns-mean).
"""


def page() -> str:
    """The page."""
    lines = [HEAD, *_overview()]
    for name, about in TABLES.items():
        lines += _table(name, about)
    return "\n".join(lines).rstrip() + "\n"


def _overview() -> Iterator[str]:
    yield "| table | one row a | asked for by |\n|---|---|---|"
    for name, about in TABLES.items():
        key = f"`measure: {{{about.key}: ...}}`" if about.key else ""
        yield f"| [`{name}`](#{name}) | {about.row} | {key} |"
    yield ""


def _table(name: str, about: About) -> Iterator[str]:
    place = f"{name}.parquet" if about.one_file else f"{name}/"
    yield f"## {name}\n"
    yield f"`{place}`: one row a {about.row}.\n"
    yield "| column | meaning | unit | source |\n|---|---|---|---|"
    for column, found in about.columns.items():
        text = found.text.replace("{}", "*that name*").replace("|", r"\|")
        yield f"| `{column}` | {text} | {found.unit} | {found.source} |".replace("|  |", "| |")
    yield ""
