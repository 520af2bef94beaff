"""Pictures of real results can be read: no word on another, none outside, in colour and in grey."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import matplotlib
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from phasegrok.figures import pictures
from phasegrok.figures.caption import caption
from phasegrok.figures.context import Context, read_context
from phasegrok.figures.palette import QUANTITIES, lightness, line_styles, matrix_style

REFERENCE = Path(__file__).parents[2] / "results" / "reference"
# Folders with all pictures between them, but for pictures of the same kind twice.
DRAWN = {
    "phases": {"phase_diagram", "delay", "curves", "losses", "ipr_histograms", "logits"},
    "mixture": {"phase_diagram", "curves"},
    "ungrokking": {"norms", "curves"},
    "grokking": {"weight_rows", "ipr_histograms"},
    "transformer-configurations": {"ipr_histograms"},
    "parity-grokking": {"output_weights", "spectral_norms"},
    "semi-grokking": {"distribution"},
    "data-efficiency": {"data_efficiency", "accuracy"},
    "model-efficiency": {"model_efficiency"},
    "critical-size": {"critical_size"},
    "parity-neurons-2": {"generalizing"},
    "prunable": {"prunable", "pruning_accuracy", "pruning_loss"},
    "analytic": {"analytic"},
    "mlp3-batchnorm": {"normalization_weights"},
    "wd-47": {"boundaries", "phase_diagram"},
}
TOUCH = 1.0  # pixels that boxes may share: they are a little larger than what is inked


def boxes(figure: Figure) -> list[tuple[str, Bbox]]:
    """Every text that is seen, with its box in pixels."""
    figure.draw_without_rendering()
    ticks = {
        id(label)
        for axes in figure.axes
        for axis in (axes.xaxis, axes.yaxis)
        for tick in (*axis.get_major_ticks(), *axis.get_minor_ticks())
        for label in (tick.label1, tick.label2)
    }
    texts = [text for text in figure.findobj(Text) if id(text) not in ticks and shown(text)]
    texts += [label for axes in figure.axes if axes.get_visible() for label in tick_labels(axes)]
    return [(text.get_text(), text.get_window_extent()) for text in texts]


def shown(text: Text) -> bool:
    axes = text.axes
    return bool(text.get_text().strip()) and text.get_visible() and (not axes or axes.get_visible())


def tick_labels(axes: Any) -> Iterator[Text]:
    """The labels of ticks that lie in view; the others exist, but are not drawn."""
    for axis, interval in ((axes.xaxis, axes.get_xlim()), (axes.yaxis, axes.get_ylim())):
        low, high = sorted(interval)
        for tick in (*axis.get_major_ticks(), *axis.get_minor_ticks()):
            label = tick.label1
            if low <= tick.get_loc() <= high and label.get_visible() and label.get_text().strip():
                yield label


def collisions(figure: Figure) -> list[str]:
    """What is wrong with the words of a figure."""
    found = boxes(figure)
    canvas = figure.bbox
    wrong = [
        f"outside: {text!r}"
        for text, box in found
        if box.x0 < canvas.x0 - TOUCH
        or box.y0 < canvas.y0 - TOUCH
        or box.x1 > canvas.x1 + TOUCH
        or box.y1 > canvas.y1 + TOUCH
    ]
    for (text, box), (other, beside) in itertools.combinations(found, 2):
        across = min(box.x1, beside.x1) - max(box.x0, beside.x0)
        up = min(box.y1, beside.y1) - max(box.y0, beside.y0)
        if across > TOUCH and up > TOUCH:
            wrong.append(f"{text!r} on {other!r}")
    return wrong


@pytest.mark.parametrize("name", DRAWN)
def test_no_word_is_on_another_and_none_outside(name: str) -> None:
    """As the renderer measures them, in every kind of picture. Above each stand the sweep, p, its
    steps and seeds."""
    context = read_context(REFERENCE / name, write=False)
    for picture in pictures():
        if picture.name in DRAWN[name]:
            assert picture.applies(context), picture.name
            with matplotlib.rc_context():
                matplotlib.rcdefaults()
                figure = picture.draw(context)
                assert collisions(figure) == [], picture.name
            words = figure.get_suptitle().replace("\n", " ")
            assert words == caption(context) and words.startswith(f"{name}: "), words
            assert max(figure.get_size_inches()) < 12, picture.name


def test_every_picture_is_looked_at() -> None:
    """But for the maps of activations, whose table is in no reference folder: they have no words
    but titles, as the densities of output weights."""
    every = {picture.name for picture in pictures()}
    assert set().union(*DRAWN.values()) == every - {"activations"}


def test_collisions_are_seen() -> None:
    """The check itself: words on words, and beside the canvas."""
    figure = Figure(figsize=(3, 2))
    figure.text(0.5, 0.5, "here")
    assert collisions(figure) == []
    figure.text(0.52, 0.5, "there")
    figure.text(0.99, 0.1, "beyond")
    assert collisions(figure) == ["outside: 'beyond'", "'here' on 'there'"]


def test_a_caption_says_what_a_sweep_is_of() -> None:
    """What is fixed, swept, and different between variants; a fraction that is an axis of the
    picture is not repeated; of results without a sweep nothing is said."""
    wd = read_context(REFERENCE / "wd", write=False)
    assert caption(wd).startswith("wd: p = 97, N = 500, 2000 steps, ")
    assert "α" not in caption(wd) and caption(wd).endswith("1 seed")
    prunable = caption(read_context(REFERENCE / "prunable", write=False))
    assert "N = 500 to 4000" in prunable and "α = 0.5, ξ = 0.35, 3 seeds" in prunable
    assert "n = 50, k = 2, 300 examples" in caption(read_context(REFERENCE / "parity-grokking"))
    assert caption(Context(wd.cells, wd.axes, {}, {})) == ""


def test_lines_differ_in_grey() -> None:
    """Lines of one picture that have the same dashes differ in lightness; lines of swept values and
    of matrices differ in dashes or marker from their neighbours."""
    for names in (
        ("train_accuracy", "test_accuracy", "corrupted_accuracy", "mean_ipr"),
        ("train_loss", "test_loss"),
    ):
        for one, other in itertools.combinations(names, 2):
            a, b = QUANTITIES[one][1], QUANTITIES[other][1]
            same = a.get("linestyle", "-") == b.get("linestyle", "-")
            assert not same or abs(lightness(a["color"]) - lightness(b["color"])) > 15, (one, other)
    styles = list(itertools.islice(line_styles(), 20))
    assert len({(s["color"], s["linestyle"], s["marker"]) for s in styles}) == 20
    assert len({(s["linestyle"], s["marker"]) for s in styles}) == 20
    matrices = [tuple(matrix_style(number).values()) for number in range(32)]
    assert len(set(matrices)) == 32
