"""Whatever a sweep may end with is drawn, or said to be missing: hours of training come before."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

from phasegrok.analysis.phases import DIVERGED
from phasegrok.figures import STRICT, canvas, draw
from phasegrok.figures.registry import PICTURES, Picture
from phasegrok.figures.text import drawable, drawable_lines
from tests.figures.made import CELLS, TABLES
from tests.thorough import some

Tables = dict[str, pd.DataFrame]


@pytest.fixture
def texts(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The words of every picture that is drawn, which is rendered once and small."""
    found: dict[str, str] = {}

    def save(figure: Figure, folder: Path, name: str) -> list[Path]:
        figure.savefig(io.BytesIO(), format="png", dpi=30)
        found[name] = "\n".join(text.get_text() for text in figure.findobj(Text))
        return [folder / f"{name}.png"]

    monkeypatch.setattr(canvas, "save", save)
    return found


def folder_of(path: Path, cells: pd.DataFrame, tables: Tables) -> Path:
    """A result folder with these tables."""
    for name, rows in tables.items():
        (path / name).mkdir()
        rows.to_parquet(path / name / "part.parquet")
    cells.to_parquet(path / "cells.parquet")
    (path / "manifest.json").write_text(
        json.dumps({"name": "x", "axes": ["weight_decay"], "sweep": {}})
    )
    return path


def numbers(value: float, after: int = 0) -> Callable[[pd.DataFrame], pd.DataFrame]:
    """Every measurement is this value from a step on."""

    def change(table: pd.DataFrame) -> pd.DataFrame:
        table = table.copy()
        late = table["step"] >= after if "step" in table else np.ones(len(table), bool)
        for name in table.select_dtypes("float64").columns:
            if name != "weight_decay":
                table.loc[late, name] = value
        return table

    return change


def first_step(table: pd.DataFrame) -> pd.DataFrame:
    return table[table["step"] == table["step"].min()] if "step" in table else table


def ten_to(power: int) -> Callable[[pd.DataFrame], pd.DataFrame]:
    return numbers(10.0**power)


@pytest.mark.parametrize(
    ("change", "words"),
    some(
        [
            (numbers(np.nan), "no finite values"),
            (numbers(np.inf), "no finite values"),
            (numbers(np.nan, after=20), ""),
            (numbers(0.0), "no values above 0"),
            (numbers(-1.0), "no values above 0"),
            (ten_to(38), ""),
            (ten_to(-320), ""),
            (first_step, ""),
        ],
        {2, 7},
    ),
    ids=["nan", "inf", "diverges", "zero", "negative", "huge", "tiny", "one point"],
)
@pytest.mark.filterwarnings("ignore:.*encountered in.*:RuntimeWarning")
def test_any_numbers_are_drawn(
    tmp_path: Path,
    texts: dict[str, str],
    change: Callable[[pd.DataFrame], pd.DataFrame],
    words: str,
) -> None:
    """Diverged from the beginning or later, losses of exactly 0, one logged point. Spectral norms,
    whose picture marks bends, are among them."""
    curves = TABLES["curves"].assign(spectral_u=lambda t: t["norm_u"], spectral_w=1.0)
    tables = {name: change(table) for name, table in {**TABLES, "curves": curves}.items()}
    cells = CELLS.assign(subphase=[DIVERGED, "Confusion"], train_accuracy=[np.nan, 0.1])
    draw(folder_of(tmp_path, cells, tables))
    assert {"phase_diagram", "accuracy"} <= set(texts)
    lines = {"curves", "losses", "norms", "spectral_norms"}
    assert lines & set(texts) == (
        set() if change is first_step else lines
    )  # of a point there is none
    assert words in texts.get("losses", "")


NAMES = ["$x", "a$b$", r"\$", "_^{", "two\nlines", "é\U0001f984 \ud800", "n" * 3000, "\x1b[31m"]


@pytest.mark.parametrize("name", some(NAMES, 3))
def test_any_names_are_drawn(tmp_path: Path, texts: dict[str, str], name: str) -> None:
    """Mathematics that is none, line ends, characters without a glyph: as they are, or escaped."""
    sane = name.encode("utf-8", "backslashreplace").decode()
    names = dict(zip(CELLS["weight_decay"].unique(), ["plain", sane], strict=True))
    cells = CELLS.assign(weight_decay=CELLS["weight_decay"].map(names))
    tables = {
        each: table.assign(weight_decay=table["weight_decay"].map(names))
        for each, table in TABLES.items()
        if each in ("curves", "runs")
    }
    draw(folder_of(tmp_path, cells, tables))
    shown = texts["phase_diagram"] + texts["curves"]
    assert "\x1b" not in shown and "\U0001f984" not in shown and "n" * 100 not in shown
    if name == "$x":
        assert r"\$x" in shown


def test_text_is_escaped_where_it_has_to_be() -> None:
    assert drawable("corruption fraction ξ = 0.5") == "corruption fraction ξ = 0.5"
    assert drawable("a$b\n\x1b\U0001f984\ud800") == r"a\$b\n\x1b\U0001f984\ud800"
    assert drawable("x" * 47 + "y" * 5000 + "z" * 47) == "x" * 47 + "..." + "z" * 47
    # No line ends in a backslash whose dollar begins the next.
    assert all(not line.endswith("\\") for line in drawable_lines("$" * 90, 7).splitlines())


def test_a_picture_that_fails_says_so(
    tmp_path: Path, texts: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error in one picture is written on its page; the others are drawn. An error of the disk
    and a refusal are told as ever."""

    def fails(_context: object) -> Figure:
        raise ZeroDivisionError("by $0\n")

    folder = folder_of(tmp_path, CELLS, {})
    draw(folder)
    broken = Picture("accuracy", PICTURES["accuracy"].applies, fails)
    monkeypatch.setattr("phasegrok.figures.pictures", lambda: [broken, PICTURES["phase_diagram"]])
    with pytest.raises(ZeroDivisionError):
        draw(folder)
    monkeypatch.delenv(STRICT)
    assert [path.stem for path in draw(folder)] == ["accuracy", "phase_diagram"]
    assert texts["accuracy"] == "accuracy cannot be drawn\n" + r"ZeroDivisionError: by \$0\n"


def test_any_backend_is_overridden(tmp_path: Path) -> None:
    """Matplotlib takes an unknown one for an error when it is imported."""
    folder = folder_of(tmp_path, CELLS, {})
    code = "import sys; from pathlib import Path; from phasegrok.figures import draw_at, pictures;"
    code += "pictures(); import matplotlib; assert matplotlib.get_backend() == 'agg'"
    done = subprocess.run(
        [sys.executable, "-c", code, str(folder)],
        env={"MPLBACKEND": "nope", "PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
