"""Pages that are written by the code are what it writes today."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from phasegrok.docs import PAGES, commands, gallery, notebook, pages, tables
from phasegrok.docs.__main__ import main
from phasegrok.meanings import TABLES
from phasegrok.sweep.headers import header
from phasegrok.sweep.sizes import Size, sizes_text
from tests.docs.blocks import ROOT


@pytest.fixture(scope="module")
def written() -> dict[str, str]:
    return pages(ROOT)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_current(name: str, written: dict[str, str]) -> None:
    assert (ROOT / "docs" / name).read_text() == written[name], "run: python -m phasegrok.docs"


def test_commands_and_their_options_are_all_there() -> None:
    """Each with its own words; a hidden one would not be."""
    text = commands.page("quick: ## be quick\n")
    for name, command in commands.commands().items():
        section = text.partition(f"## `phasegrok {name}`\n")[2].partition("\n## ")[0]
        for each in command.params:
            word = each.opts[0] if each.param_type_name == "option" else each.metavar or each.name
            assert word.strip("{}").upper() in section.upper(), f"{name} {word}"
            assert each.help.split(";")[0] in section
    assert "| `make quick` | be quick |" in text


def test_tables_and_their_columns_are_all_there() -> None:
    text = tables.page()
    for name, about in TABLES.items():
        section = text.partition(f"\n## {name}\n")[2].partition("\n## ")[0]
        assert about.row in section
        assert section.count("\n| `") == len(about.columns)


def test_the_gallery_has_every_sweep() -> None:
    """Each under its paper, in the order of figures, with what its header says."""
    found = {path.stem: header(path) for path in (ROOT / "sweeps").glob("*.yaml")}
    assert all(each.see and each.what.endswith((".", ")", "?")) for each in found.values())
    places = {name: found[name].place for name in ("wd", "phases", "parity-grokking", "mixture")}
    assert places == {
        "wd": "Figure 3a",
        "phases": "Figures 1, 4a, 6, 8, 17, 18 and 23",
        "parity-grokking": "Figures 1.1 and 2.1 to 2.4",
        "mixture": "Figure 5",
    }
    assert found["normalization"].options[0][0] == "--reduced"
    text = (ROOT / "docs" / "gallery.md").read_text()
    order = [text.index(f": `{name}`") for name in ("phases", "grokking", "wd", "dropout", "mlp3")]
    assert order == sorted(order)
    assert text.count("```sh\nphasegrok sweep ") == len(found)


def test_verdicts_are_counted_from_the_tables_of_claims(tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_text(
        "# Figure 1 of Doshi et al.: one.\n#\n#   make phase-one\n#\n"
        "# What one should see: something_odd.\nname: one\n"
    )
    (tmp_path / "sizes.csv").write_text(sizes_text({"one": Size(3, 200.0)}))
    page = (
        "## A section, with (brackets)\n| 1 | c | m | h | `one`: p | yes |\n"
        "| 1 | c | m | h | `one`: p | no (x: yes) |\n| 1 | c | m | h | `one-b` | yes |\n"
    )
    text = gallery.page(tmp_path, page)
    assert (
        "(reproduction.md#a-section-with-brackets): claims about it: 1 hold, 1 do not hold." in text
    )
    assert "something\\_odd" in text and "- Size: 3 runs, 3 min on two CPU cores." in text


def test_a_page_becomes_cells() -> None:
    """Text and code in turn; what only the page shows is left out."""
    page = "# T\n\ntext\n\n```python\na = 1\n```\n\n<!-- page -->\nseen\n<!-- end -->\nlast\n"
    assert notebook.cells(page) == [
        ("markdown", "# T\n\ntext"),
        ("code", "a = 1"),
        ("markdown", "last"),
    ]


def test_pages_are_written_where_they_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In a checkout, and nowhere else."""
    monkeypatch.chdir(tmp_path)
    assert main() == 2 and not any(tmp_path.iterdir())
    assert "found no docs/reproduction.md; allowed: a checkout" in capsys.readouterr().err
    (tmp_path / "sweeps").symlink_to(ROOT / "sweeps")
    (tmp_path / "docs").mkdir()
    for name in ("Makefile", "docs/reproduction.md", "docs/notebook.md"):
        shutil.copy(ROOT / name, tmp_path / name)
    assert main() == 0
    assert capsys.readouterr().out.splitlines() == [f"wrote docs/{name}" for name in PAGES]
    (tmp_path / "docs" / "tables.md").write_text("old")
    assert main() == 0 and capsys.readouterr().out == "wrote docs/tables.md\n"
