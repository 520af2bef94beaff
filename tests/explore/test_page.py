"""The page in a real browser: what it shows is what the tables say."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import pytest

from phasegrok.analysis.boundaries import GENERALIZES, boundaries
from phasegrok.analysis.timeline import labels_by_step
from phasegrok.figures.palette import PALETTE, rgb
from tests.explore.conftest import REFERENCE, OpenPage

QUICK: Final = REFERENCE / "quickstart"
SEEDS: Final = REFERENCE / "phases"  # three seeds, spectra, pruning; one axis
AXES: Final = ["data_fraction", "corruption_fraction", "weight_decay"]
# The colour of every cell of every diagram, by the texts of its axes' values.
COLOURS: Final = """() => explorer.panels.flatMap((panel) => {
  const copy = new OffscreenCanvas(panel.canvas.width, panel.canvas.height);
  const pen = copy.getContext("2d", {willReadFrequently: true});
  pen.drawImage(panel.canvas, 0, 0);
  return panel.rows.flatMap((_, up) => panel.columns.map((_, across) => {
    const [x, y, wide] = panel.box(across, up);
    const pixel = pen.getImageData(x + wide / 4, y + 4, 1, 1).data;
    return [...panel.place([across, up]), pixel[0], pixel[1], pixel[2]];
  }));
})"""


def colours(page: Any) -> dict[tuple[int, ...], tuple[int, ...]]:
    """(red, green, blue) by the places of a cell's values on the axes."""
    return {tuple(row[:-3]): tuple(row[-3:]) for row in page.evaluate(COLOURS)}


def expected(labels: pd.DataFrame, column: str = "subphase") -> dict[tuple[int, ...], Any]:
    """The same from a table of labels."""
    values = [sorted(labels[axis].unique()) for axis in AXES]
    return {
        tuple(values[i].index(row[axis]) for i, axis in enumerate(AXES)): rgb(
            PALETTE[row[column]].colour
        )
        for _, row in labels.iterrows()
    }


def click(page: Any, *place: int) -> None:
    """Click a cell, by the places of its values on the axes."""
    x, y = page.evaluate(
        """(place) => {
          for (const panel of explorer.panels) {
            if (panel.slice.some(([axis, value]) => place[axis] !== value)) continue;
            const at = [panel.x < 0 ? 0 : place[panel.x], panel.y < 0 ? 0 : place[panel.y]];
            panel.host.scrollIntoView({block: "center"});
            const [right, under] = panel.corner(at);
            return [right - panel.wide / 2, under - panel.high / 2];
          }
        }""",
        list(place),
    )
    page.mouse.click(x, y)


def wait_for(page: Any, condition: str) -> None:
    """Until a condition holds; the page's policy forbids Playwright's own way."""
    for _ in range(100):
        if page.evaluate(condition):
            return
        page.wait_for_timeout(50)
    raise AssertionError(condition)


def shown_numbers(page: Any) -> dict[str, str]:
    """The numbers of the chosen cell as they stand on the page, by column."""
    cells = page.locator("#cell .numbers td[data-column]")
    return {c.get_attribute("data-column"): c.text_content() for c in cells.all()}


def check_numbers(shown: dict[str, str], row: pd.Series[Any]) -> None:
    assert {"train_accuracy", "test_loss", "weight_norm", "memorization_step"} <= set(shown)
    for column, text in shown.items():
        value = row[column]
        if pd.isna(value):
            assert text == "–", column
        elif np.float64(np.float32(value)) == value:  # a float32, in its shortest form
            assert np.float32(text) == np.float32(value), column
            assert len(text) <= len(repr(float(value))), column
            # Of a column that is not of float32 as a whole it is the float64's.
            assert float(text) in (float(str(np.float32(value))), float(value)), column
        else:
            assert float(text) == float(value), column


def test_a_cell_shows_the_numbers_of_the_tables(open_page: OpenPage) -> None:
    """Those of ``cells.parquet``, to the last digit. Diagrams have the colours of their labels."""
    page = open_page(QUICK)
    cells = pd.read_parquet(QUICK / "cells.parquet")
    assert colours(page) == expected(cells)
    click(page, 3, 2, 1)
    row = cells[
        cells.data_fraction.eq(0.7) & cells.corruption_fraction.eq(0.3) & cells.weight_decay.eq(5)
    ].iloc[0]
    check_numbers(shown_numbers(page), row)
    assert "α = 0.7" in page.locator("#cell h2").text_content()
    assert row["subphase"] in page.locator("#cell .chips").text_content()
    assert page.locator("#cell .plot canvas").count() >= 3
    run = pd.read_parquet(QUICK / "runs").set_index(AXES).loc[(0.7, 0.3, 5.0), "run"]
    assert str(run) in page.locator("#cell").text_content()


def test_the_slider_shows_the_diagram_as_it_was(open_page: OpenPage) -> None:
    """At several steps, every cell of every slice, as ``labels_by_step`` has it."""
    page = open_page(QUICK)
    runs, curves = pd.read_parquet(QUICK / "runs"), pd.read_parquet(QUICK / "curves")
    labels = labels_by_step(runs, curves, AXES)
    steps = sorted(labels.step.unique())
    seen = set()
    for number in (0, 2, 5, 20, len(steps) - 1):
        page.locator("#step").fill(str(number))
        assert page.locator("#when").text_content() == f"step {steps[number]}"
        found = colours(page)
        assert found == expected(labels[labels.step == steps[number]])
        seen.add(tuple(sorted(found.items())))
    assert len(seen) >= 4, "the diagram changes"
    page.select_option("#view", label="test accuracy")  # over time as well, from the curves
    page.locator("#step").fill("0")
    at_first = colours(page)
    page.locator("#step").fill(str(len(steps)))
    assert at_first != colours(page)


def test_every_view_can_be_shown(open_page: OpenPage) -> None:
    page = open_page(QUICK)
    cells = pd.read_parquet(QUICK / "cells.parquet")
    page.select_option("#view", label="Phase, by corrupted examples")
    assert colours(page) == expected(cells, "direct_phase")
    for option in page.locator("#view option").all():
        page.select_option("#view", value=option.get_attribute("value"))
    page.select_option("#view", label="test accuracy")
    found = colours(page)
    low = cells.test_accuracy.idxmin(), cells.test_accuracy.idxmax()
    values = [sorted(cells[axis].unique()) for axis in AXES]
    place = [tuple(values[i].index(cells.loc[n, a]) for i, a in enumerate(AXES)) for n in low]
    assert sum(found[place[1]]) > sum(found[place[0]]) + 100, "viridis grows lighter"
    assert page.locator(".legend.scale .ticks").text_content() == "00.250.50.751"


def test_boundaries_are_those_of_the_analysis(open_page: OpenPage) -> None:
    """Rows that are crossed more than once among them: the last crossing counts."""
    page = open_page(REFERENCE / "wd-47", at="tab=boundaries")
    cells = pd.read_parquet(REFERENCE / "wd-47" / "cells.parquet")
    table = boundaries(cells, None, AXES)
    rows = table[(table.along == "data_fraction") & (table.above == GENERALIZES)]
    crossings = rows.dropna(subset="position").groupby(["weight_decay", "at"]).position
    last = crossings.max()
    assert (crossings.count() > 1).any()
    drawn = [float(c.get_attribute("data-x")) for c in page.locator("circle[data-x]").all()]
    assert sorted(drawn) == pytest.approx(sorted(last))
    page.locator("circle[data-x]").last.click()
    assert page.locator("#cell h2").is_visible()


def test_keys_lead_everywhere_and_the_address_comes_back(open_page: OpenPage) -> None:
    page = open_page(QUICK)
    page.locator(".panel").nth(1).focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowDown", "Enter"):
        page.keyboard.press(key)
    assert "α = 0.3,  ξ = 0.3,  weight decay = 5" in page.locator("#cell h2").text_content()
    assert "Memorization" in page.locator("#said").text_content()
    page.keyboard.press("b")
    page.keyboard.press(",")
    page.keyboard.press(",")
    wait_for(page, "location.hash.includes('boundaries=all')")
    again = open_page(QUICK, at=page.evaluate("location.hash.slice(1)"))
    assert again.locator("#cell h2").text_content() == page.locator("#cell h2").text_content()
    assert (
        again.locator("#when").text_content() == page.locator("#when").text_content() == "step 980"
    )
    assert again.locator("#overlay").is_checked()
    page.keyboard.press("Escape")
    assert page.locator("#cell .empty").is_visible()
    page.locator("#play").click()
    wait_for(page, "document.getElementById('when').textContent !== 'step 980'")
    page.locator("#play").click()
    page.get_by_role("tab", name="Table").click()
    assert page.locator(".list tbody tr").count() == 80


def test_one_axis_with_seeds_and_what_is_inside(open_page: OpenPage) -> None:
    page = open_page(SEEDS)
    click(page, 2)
    cells = pd.read_parquet(SEEDS / "cells.parquet").set_index("weight_decay")
    check_numbers(shown_numbers(page), cells.loc[15.0])
    titles = page.locator("#cell h3").all_text_contents()
    assert {"Accuracy", "Loss", "IPR of neurons", "Neurons pruned from the lowest IPR"} <= {*titles}
    seeds = page.locator("#cell .seeds tbody tr").all_text_contents()
    runs = pd.read_parquet(SEEDS / "runs")
    runs = runs[runs.weight_decay == 15].sort_values("seed")
    assert len(seeds) == 3
    for text, (_, run) in zip(seeds, runs.iterrows(), strict=True):
        assert repr(run["train_accuracy"]) in text and run["run"] in text
    neurons = pd.read_parquet(SEEDS / "neurons")
    living = (~neurons[neurons.weight_decay == 15].dead).sum()
    assert f"{living} " in page.locator("#cell section", has_text="IPR of neurons").text_content()


def test_a_thinned_page_says_so(open_page: OpenPage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Means and bands instead of seeds, and the same numbers."""
    monkeypatch.setattr("phasegrok.explore.MOST", 11_500)
    page = open_page(SEEDS, at="at.weight_decay=15")
    note = page.locator("#notes").text_content()
    assert "26 points, means and spread" in note and "up to 201 points" in note
    row = pd.read_parquet(SEEDS / "cells.parquet").set_index("weight_decay").loc[15.0]
    check_numbers(shown_numbers(page), row)
    assert page.locator("#cell .plot canvas").count() >= 3
    assert "Curves are means over seeds" in page.locator("#cell").text_content()
    assert page.evaluate("explorer.model.allSteps.length") == 26
    page.locator("#step").fill("3")


def test_a_phone_does_not_scroll_sideways(open_page: OpenPage) -> None:
    for folder in (QUICK, SEEDS):
        page = open_page(folder, size=(375, 700), dark=True)
        first = page.locator(".panel").first.bounding_box()
        page.touchscreen.tap(first["x"] + first["width"] * 0.7, first["y"] + 10)
        page.wait_for_selector("#cell h2")
        for tab in ("Boundaries", "Table", "Diagram"):
            page.get_by_role("tab", name=tab).click()
            assert page.evaluate("document.documentElement.scrollWidth") == 375
        dark = page.evaluate("getComputedStyle(document.body).backgroundColor")
        page.locator("#theme").click()
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") != dark


def changed_copy(folder: Path, target: Path) -> Path:
    """The same sweep, with a few runs that no longer generalize."""
    shutil.copytree(folder, target)
    runs = pd.read_parquet(target / "runs")
    worse = runs.data_fraction.eq(0.9) & runs.weight_decay.eq(0)
    runs.loc[worse, "test_accuracy"] = 0.5
    shutil.rmtree(target / "runs")
    (target / "runs").mkdir()
    runs.to_parquet(target / "runs" / "0-0.parquet")
    for part in (target / "curves").iterdir():
        part.unlink()
    (target / "curves").rmdir()
    return target


def test_two_folders_side_by_side_and_their_difference(open_page: OpenPage, tmp_path: Path) -> None:
    other = changed_copy(QUICK, tmp_path / "other")
    page = open_page(QUICK, other)
    assert page.locator(".panel").count() == 8
    assert page.locator("figcaption").first.text_content().startswith("A")
    page.select_option("#view", label="A → B: Phase (Table 2)")
    assert page.locator(".panel").count() == 4
    grey = tuple(rgb("#e9e9ea"))
    found = colours(page)
    changed = {place for place, colour in found.items() if colour != grey}
    cells = pd.read_parquet(QUICK / "cells.parquet")
    worse = cells[cells.data_fraction.eq(0.9) & cells.weight_decay.eq(0)]
    generalized = worse.subphase.isin(["Coexistence", "Partial Inversion", "Full Inversion"])
    assert changed == {(4, i, 0) for i in np.nonzero(generalized.to_numpy())[0]}
    assert f"{len(changed)} of 80 cells" in page.locator("#stage").text_content()
    click(page, 4, 0, 0)
    page.wait_for_selector("#cell .numbers")
    test = page.locator('#cell td[data-column="test_accuracy"]').all_text_contents()
    assert test == ["1", "0.5"]
    page.select_option("#view", label="B − A: test accuracy")
    assert colours(page)[(4, 0, 0)] != colours(page)[(0, 0, 0)]


HOSTILE: Final = (
    "</script><script>document.title='broken'</script>",
    "\"'`&<b>bold</b>${1}",
    "🧪 \u202eright to left\u0000\u0007",
    "x" * 10_000,
    "<!--DATA--><img src=x onerror=document.title='broken'>",
)


def test_hostile_names_are_text(open_page: OpenPage, tmp_path: Path) -> None:
    """Names of a sweep, of an axis, of its values and of a column, in every view."""
    cells = pd.DataFrame(
        {
            "variant": HOSTILE,
            HOSTILE[0]: np.arange(5) / 10,
            "subphase": "Memorization",
            "phase": "Memorization",
            f"{HOSTILE[1]}_loss": 0.5,
            "train_accuracy": 1.0,
        }
    )
    cells.to_parquet(tmp_path / "cells.parquet")
    sweep = {"task": {"kind": HOSTILE[0]}, "axes": {HOSTILE[4]: [1]}}
    head = {"name": HOSTILE[0], "axes": ["variant", HOSTILE[0]], "sweep": sweep}
    (tmp_path / "manifest.json").write_text(json.dumps(head))
    page = open_page(tmp_path, size=(375, 700))
    assert page.locator("#title").text_content() == HOSTILE[0][:60]
    for option in page.locator("#view option").all():
        page.select_option("#view", value=option.get_attribute("value"))
    for tab in ("Boundaries", "Table", "Diagram"):
        page.get_by_role("tab", name=tab).click()
        assert page.evaluate("document.documentElement.scrollWidth") == 375
    page.evaluate("explorer.choosePlace([0, 0])")
    assert HOSTILE[0][:59] in page.locator("#cell").text_content()
    assert page.locator("script").count() == 2 and page.locator("img").count() == 0
    assert "broken" not in page.title() or page.title().startswith("</script>")
