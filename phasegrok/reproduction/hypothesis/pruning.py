"""Claims on pruning: section 2.1 (Figure 6) and appendices I and Q."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd

from phasegrok.analysis.pruned import RETAINED, at_threshold, needed
from phasegrok.analysis.trends import exponent
from phasegrok.reproduction.base import Claim, Results
from phasegrok.reproduction.hypothesis.cells import FULL, NONE, PARTIAL, THRESHOLD, XI, at_decay
from phasegrok.reproduction.words import spread

__all__ = ["losses", "pruned_far", "pruning_highest", "pruning_lowest", "widths"]


def pruning_lowest(results: Results) -> Iterator[Claim]:
    rows = at_threshold(results["pruning"], results["neurons"], THRESHOLD)
    before = results["runs"].set_index("run")
    for decay, where in ((NONE, "2.1, Fig. 6"), (PARTIAL, "I, Fig. 17b"), (FULL, "I, Fig. 17c")):
        these = at_decay(rows, decay)
        was = before.loc[these["run"]]
        yield Claim(
            where,
            f"wd {decay:g}: without the neurons of IPR below {THRESHOLD}, corrupted labels are"
            " forgotten, test and uncorrupted accuracy stay, training accuracy is 1 − ξ",
            f"{spread(these['share'])} of the neurons removed: corrupted"
            f" {was['corrupted_accuracy'].mean():.3f} → {spread(these['corrupted_accuracy'])}, test"
            f" {was['test_accuracy'].mean():.3f} → {spread(these['test_accuracy'])}, uncorrupted"
            f" {spread(these['clean_accuracy'])}, train {spread(these['train_accuracy'])}",
            bool(
                (these["corrupted_accuracy"] < 0.05).all()
                and (these["test_accuracy"] > RETAINED).all()
                and ((these["train_accuracy"] - (1 - XI)).abs() < 0.02).all()
            ),
        )


def pruned_far(results: Results) -> Iterator[Claim]:
    before = results["runs"].set_index("run")
    left = needed(results["pruning"]).to_frame().join(before[["weight_decay"]])
    width = results["pruning"]["pruned"].max()
    plain = at_decay(left, NONE)["needed"]
    way = at_decay(results["pruning"][results["pruning"]["order"] == "lowest"], NONE)
    on_the_way = way[way["pruned"] <= width - way["run"].map(plain)]["test_accuracy"].min()
    yield Claim(
        "2.1, Fig. 6",
        f"test accuracy stays high (here at least {RETAINED:.0%}) over a wide range of pruning",
        f"at wd 0 until {spread(100 * (1 - plain / width), 1)} % of {width} neurons are gone, never"
        f" below {on_the_way:.3f} on the way",
        bool((plain < 0.5 * width).all() and on_the_way >= RETAINED),
    )
    random = needed(results["pruning"], "random").to_frame().join(before[["weight_decay"]])
    control = 100 * (1 - at_decay(random, NONE)["needed"] / width)
    yield Claim(
        "control",
        "which a random order does not do",
        f"at wd 0 until {spread(control, 1)} % are gone",
        bool((control < 50).all()),
    )


def _falls(pruning: pd.DataFrame, column: str, level: float) -> pd.Series[float]:
    """Share of the neurons pruned when a column is first below a level, by run."""
    shares = pruning["pruned"] / pruning["pruned"].max()
    below = pruning[column] < level
    first: pd.Series[float] = shares[below].groupby(pruning["run"][below]).min()
    return first


def pruning_highest(results: Results) -> Iterator[Claim]:
    highest = results["pruning"][results["pruning"]["order"] == "highest"]
    plain = at_decay(highest, NONE)
    test, corrupted = (_falls(plain, f"{n}_accuracy", 0.5) for n in ("test", "corrupted"))
    clean = _falls(plain, "clean_accuracy", 0.5)
    yield Claim(
        "2.1, Fig. 6 right",
        "pruned from the highest IPR, test accuracy goes first, accuracy on uncorrupted training"
        " data next, and corrupted labels are kept longest",
        f"share pruned when they fall below one half: test {spread(test)}, uncorrupted"
        f" {spread(clean)}, corrupted {spread(corrupted)}",
        bool((test < clean).all() and (clean < corrupted).all()),
    )
    gain = {}
    for decay in (PARTIAL, FULL):
        curves = at_decay(highest, decay).groupby("run")["corrupted_accuracy"]
        gain[decay] = pd.DataFrame({"first": curves.first(), "most": curves.max()})
    yield Claim(
        "I, Fig. 17b",
        "wd 5: pruning from the highest IPR improves the corrupted accuracy",
        f"{spread(gain[PARTIAL]['first'])} → at most {spread(gain[PARTIAL]['most'])}",
        bool((gain[PARTIAL]["most"] > gain[PARTIAL]["first"] + 0.3).all()),
    )
    yield Claim(
        "I, Fig. 17c",
        "wd 15: hardly, there being few neurons of low IPR",
        f"{spread(gain[FULL]['first'])} → at most {spread(gain[FULL]['most'])}",
        bool((gain[FULL]["most"] < 0.2).all()),
    )


def losses(results: Results) -> Iterator[Claim]:
    curves = results["pruning"][results["pruning"]["order"] == "lowest"].sort_values("pruned")
    plain, partial, full = (
        at_decay(curves, decay).groupby("run") for decay in (NONE, PARTIAL, FULL)
    )
    width = curves["pruned"].max()
    fall = plain["train_loss"].apply(lambda loss: float((loss.cummax() - loss).max() / loss.max()))
    yield Claim(
        "I.2, Fig. 18a",
        "wd 0: pruning from the lowest IPR raises the train loss (almost)"
        " monotonically, the test loss not",
        f"the train loss falls back by at most {spread(100 * fall, 0)} % of its highest value"
        f" on the way; test loss {spread(1e3 * plain['test_loss'].first(), 2)} at first,"
        f" {spread(1e3 * plain['test_loss'].min(), 2)} at its lowest (10⁻³)",
        None if (fall > 0.05).any() else True,
    )
    lowest = partial["test_loss"].agg(["first", "min", "idxmin"])
    where = curves.loc[lowest["idxmin"], "pruned"] / width
    yield Claim(
        "I.2, Fig. 18b",
        "wd 5: the test loss falls while memorizing neurons go, then rises; the train loss rises",
        f"test loss {spread(1e3 * lowest['first'], 2)} → {spread(1e3 * lowest['min'], 2)} (10⁻³)"
        f" with {spread(where)} pruned; train loss rises throughout:"
        f" {'yes' if _rises(partial['train_loss']) else 'nearly'}",
        bool((lowest["min"] < lowest["first"]).all() and ((where > 0.1) & (where < 0.9)).all()),
    )
    start = full["test_loss"].first()
    tenth = at_decay(curves[curves["pruned"] == round(0.05 * width)], FULL).set_index("run")[
        "test_loss"
    ]
    yield Claim(
        "I.2, Fig. 18c",
        "wd 15: the test loss stays at first, then rises",
        f"test loss changes by {spread(100 * (tenth / start - 1), 2)} % over the first 5 % pruned,"
        f" by {spread(100 * (full['test_loss'].max() / start - 1), 0)} % in all",
        bool(((tenth / start - 1).abs() < 0.01).all()),
    )


def _rises(groups: Any) -> bool:
    return bool(groups.apply(lambda loss: (loss.diff().dropna() > -1e-5).all()).all())


def widths(results: Results) -> Iterator[Claim]:
    left = results["runs"].set_index("run")[["width"]].join(needed(results["pruning"]))
    each = left.groupby("width")["needed"]
    grows = exponent(left["width"], left["needed"])
    share = (100 * (1 - left["needed"] / left["width"])).groupby(left["width"])
    yield Claim(
        "Q, Fig. 32a",
        f"the neurons needed (test accuracy ≥ {RETAINED:.0%}) grow sub-linearly with the width",
        ", ".join(f"{width:g}: {spread(values, 0)}" for width, values in each)
        + f"; exponent {grows:.2f}",
        grows < 1,
    )
    yield Claim(
        "Q, Fig. 32b",
        "so that the share that can be pruned grows",
        ", ".join(f"{width:g}: {spread(values, 1)} %" for width, values in share),
        bool(share.mean().is_monotonic_increasing),
    )
