"""Claims on Forgetting: appendix E (Figure 8)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import pandas as pd

from phasegrok.analysis.phases import GENERALIZES, MEMORIZES
from phasegrok.reproduction.base import Claim, Results
from phasegrok.reproduction.hypothesis.cells import FORGETS, XI, at_decay, of
from phasegrok.reproduction.words import spread, verdict

__all__ = ["forgetting", "from_the_start", "immune", "raised", "rectified"]

FORGOTTEN: Final = 0.5  # a final test accuracy below it, in a network that had generalized
SHRUNK: Final = 0.75  # of the weight norm when test accuracy was last above 90 %
CHANCE: Final = 0.02  # a test accuracy below it is a guess among 97 classes
SOFT: Final = 0.8  # the other plausible accuracy of a network that keeps what it has learned


def forgetting(results: Results) -> Iterator[Claim]:
    """Very large weight decay loses what was grokked, while all norms shrink."""
    runs = at_decay(results["runs"], FORGETS)
    curves = at_decay(results["curves"], FORGETS)
    fell = runs["weight_norm"] / runs["peak_weight_norm"]
    grokked = bool((runs["peak_test_accuracy"] > 0.99).all())

    def lost(least: float) -> bool:
        low = (runs["test_accuracy"] < least) & (runs["train_accuracy"] < least)
        return bool(grokked and low.all() and (fell < SHRUNK).all())

    yield Claim(
        "E, Fig. 8a",
        "wd 20: both accuracies are lost after grokking, while the norms shrink",
        f"test accuracy {spread(runs['peak_test_accuracy'])} → {spread(runs['test_accuracy'])},"
        f" train at the end {spread(runs['train_accuracy'])}; weight norm at the end {spread(fell)}"
        " of what it was when test accuracy was last above 90 %",
        lost(FORGOTTEN),
        rule=f"test above 0.99 first; in every seed both below {FORGOTTEN:g} at the end, and the"
        f" norm below {SHRUNK:g} of that",
        also=((f"at chance, below {CHANCE:g}", lost(CHANCE)),),
    )
    high = curves[curves["test_accuracy"] >= 0.99]
    away = (high["train_accuracy"] - (1 - XI)).abs().groupby(high["run"]).min()
    yield Claim(
        "E, Fig. 8a",
        "wd 20: at first as in Full Inversion, with a train accuracy near 1 − ξ",
        f"while test accuracy is above 0.99, train accuracy comes as near to {1 - XI:g} as"
        f" {spread(away)}",
        bool(len(away) == len(runs) and (away < 0.02).all()),
        rule="within 0.02 at some step of every seed",
    )
    norms = {}
    for name in ("norm_u", "norm_v", "norm_w"):
        by_run = curves.sort_values("step").groupby("run")[name]
        norms[name] = by_run.last() / by_run.max()
    table = pd.DataFrame(norms)
    largest = table.max().max()
    held = verdict(bool(largest < FORGOTTEN), bool(largest < 0.01))
    yield Claim(
        "E, Fig. 8b",
        "wd 20: the norms of all three matrices decay to arbitrarily small values",
        "norm at the end as a share of its largest: "
        + ", ".join(f"{name[-1].upper()} {spread(shares)}" for name, shares in norms.items()),
        held,
        rule="below 0.01 in every seed; in part below one half",
        why="They are still falling at step 2000, where training ends.",
    )


def immune(results: Results) -> Iterator[Claim]:
    """Memorizing networks are immune to Forgetting: under the same decay they keep their labels."""
    runs = at_decay(results["runs"], FORGETS).set_index("run")
    fitted = at_decay(results["curves"], FORGETS).groupby("run")["train_accuracy"].max()
    never = runs[(runs["peak_test_accuracy"] < FORGOTTEN) & (fitted.reindex(runs.index) >= 0.99)]
    once = runs[runs["peak_test_accuracy"] >= GENERALIZES]
    kept = never["train_accuracy"] >= MEMORIZES
    lost = once["test_accuracy"] < FORGOTTEN
    share = float(kept.mean())
    held = verdict(share >= 0.8 and bool(lost.all()), share == 1 and bool(lost.all()))
    yield Claim(
        "E",
        "memorizing networks are immune to Forgetting: under the same decay they keep their labels",
        f"weight decay {FORGETS:g}: {of(kept)} networks that only memorized keep a train accuracy"
        f" of {MEMORIZES:g} (lowest {never['train_accuracy'].min():.3f}); {of(lost)} that"
        " generalized lose their test accuracy",
        held,
        rule=f"all that reached train accuracy 0.99 and never test accuracy {FORGOTTEN:g} keep"
        f" {MEMORIZES:g} of the training set, and all that reached test accuracy {GENERALIZES:g}"
        f" fall below {FORGOTTEN:g}; in part if 80 % keep it",
        also=(
            (f"keep {SOFT:g}", bool((never["train_accuracy"] >= SOFT).all() and lost.all())),
            (f"keep {FORGOTTEN:g}", bool((never["train_accuracy"] >= FORGOTTEN).all())),
        ),
        why=(
            "Those that fall below it are next to the boundary of generalization: they had begun"
            " to generalize, lose some of the labels, and keep most."
        ),
    )


def rectified(results: Results) -> Iterator[Claim]:
    """No Forgetting with ReLU, whose expansion begins with a term of degree one."""
    runs = results["runs"]
    grokked = runs[runs["peak_test_accuracy"] >= GENERALIZES]
    kept = at_decay(runs, runs["weight_decay"].max())["test_accuracy"]

    def none(least: float) -> bool:
        return bool(len(grokked) > 0 and (grokked["test_accuracy"] >= least).all())

    yield Claim(
        "E, 2",
        "not with ReLU",
        f"{len(grokked)} of {len(runs)} runs at weight decay {_values(runs)} generalize; lowest"
        f" final test accuracy of these {grokked['test_accuracy'].min():.3f}, at"
        f" {runs['weight_decay'].max():g}: {spread(kept)}",
        none(FORGOTTEN),
        rule=f"none of those that reach test accuracy {GENERALIZES:g} ends below {FORGOTTEN:g}",
        also=((f"below {GENERALIZES:g}", none(GENERALIZES)),),
    )


def from_the_start(results: Results) -> Iterator[Claim]:
    """No Forgetting under plain gradient descent, with one weight decay throughout."""
    runs = results["runs"]
    grokked = runs[runs["peak_test_accuracy"] >= GENERALIZES]

    def none(least: float) -> bool:
        return bool(len(grokked) > 0 and (grokked["test_accuracy"] >= least).all())

    yield Claim(
        "E, 2",
        "not with plain gradient descent, under one weight decay throughout",
        f"{len(grokked)} of {len(runs)} runs at weight decay {_values(runs)} generalize; lowest"
        f" final test accuracy of these {grokked['test_accuracy'].min():.3f}",
        none(FORGOTTEN),
        rule=f"none of those that reach test accuracy {GENERALIZES:g} ends below {FORGOTTEN:g}",
        also=((f"below {GENERALIZES:g}", none(GENERALIZES)),),
        weak="decays that could break a network keep it from generalizing in the first place",
    )


def raised(results: Results) -> Iterator[Claim]:
    """No Forgetting under plain gradient descent, at whatever decay a grokked network is put."""
    runs, curves = results["runs"], results["curves"]
    begun, control = runs["event_at_step"].max(), runs["event_value"].min()
    before = curves[curves["step"] == begun].set_index("run")["test_accuracy"]
    ready = runs["run"].map(before) >= GENERALIZES
    tried = runs[ready & (runs["event_value"] > control)]
    unchanged = runs[ready & (runs["event_value"] == control)]
    final = tried.groupby("event_value")["test_accuracy"]
    forgot = tried["test_accuracy"] < FORGOTTEN
    norm = tried.groupby("event_value")["weight_norm"].mean()
    held = not bool(forgot.any())
    words = ", ".join(
        f"{value:g}: {spread(values)} (norm {norm[value]:.2g})" for value, values in final
    )
    yield Claim(
        "E, 2",
        "not with plain gradient descent, when a network that has grokked gets a larger decay",
        f"test accuracy {GENERALIZES:g} in {of(ready)} before; at the end, by new decay, {words};"
        f" {of(forgot)} have forgotten, and at the old decay {control:g}"
        f" {of(unchanged['test_accuracy'] < FORGOTTEN)}",
        held,
        rule=f"none ends below {FORGOTTEN:g}",
        also=((f"below {GENERALIZES:g}", bool((tried["test_accuracy"] >= GENERALIZES).all())),),
        why=(
            "Zero weights are a fixed point that decay makes attractive, because the gradient of a"
            " quadratic network is of second degree in its weights. That does not depend on the"
            " optimizer: beyond the decay that the gradient can balance, networks fall into it."
        ),
    )
    last = curves["step"] >= 0.8 * curves["step"].max()
    rest = curves[last].groupby("run")["weight_norm"].agg(["first", "last"])
    change = (rest["last"] / rest["first"] - 1).abs()
    keeping = change.reindex(tried.loc[~forgot, "run"]).dropna()
    still = {most: bool(len(keeping) > 0 and (keeping < most).all()) for most in (0.05, 0.01)}
    rests = verdict(bool((keeping < 0.05).any()), still[0.05])
    yield Claim(
        "E",
        "updates come to rest once gradient and weight decay balance",
        f"the {len(keeping)} networks that keep their test accuracy change their weight norm by"
        f" {spread(keeping, 4) if len(keeping) else 'nothing, there being none'} over the last"
        " fifth of training",
        rests,
        rule="by less than 0.05 each; in part if some do",
        also=(("by less than 0.01", still[0.01]),),
        why="Beyond the decay that the gradient can balance, networks go on shrinking.",
    )


def _values(runs: pd.DataFrame) -> str:
    return ", ".join(f"{value:g}" for value in sorted(runs["weight_decay"].unique()))
