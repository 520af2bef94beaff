"""Claims on Transformers: section 2.2 (Figure 7a) and appendices G.1 and G.2."""

from __future__ import annotations

from collections.abc import Iterator

from phasegrok.reproduction.base import Claim, Results
from phasegrok.reproduction.words import by_value, verdict

__all__ = ["configurations", "transformer", "transformer_dropout"]


def transformer(results: Results) -> Iterator[Claim]:
    runs = results["runs"]
    decays = runs.groupby("weight_decay")
    ipr, test, corrupted = (
        decays[name].mean() for name in ("mean_ipr", "test_accuracy", "corrupted_accuracy")
    )
    words = "one layer, embedding 64, p = 47, mean of 4 cells"
    yield Claim(
        "2.2, Fig. 7a",
        "weight decay enhances generalization of a Transformer",
        f"test accuracy {by_value(test, 3)}, corrupted labels kept {by_value(corrupted, 3)}"
        f" ({words})",
        bool(test.is_monotonic_increasing and corrupted.is_monotonic_decreasing),
    )
    yield Claim(
        "2.2, Fig. 7a",
        "and shifts the IPR of its embedding upwards",
        f"mean IPR {by_value(ipr, 3)}; a random row has 0.083",
        bool(ipr.is_monotonic_increasing),
    )


def configurations(results: Results) -> Iterator[Claim]:
    runs = results["runs"]
    noise = runs["mean_ipr"].std()
    for column, text in (
        ("layers", "depth does not affect the IPR of the embedding"),
        ("heads", "more heads encourage high IPR"),
        ("tied", "weight tying discourages it"),
    ):
        ipr = runs.groupby(column)["mean_ipr"].mean()
        change = float(ipr.iloc[1] - ipr.iloc[0])
        if column == "layers":
            held: bool | None = abs(change) < noise
        else:
            as_claimed = change > 0 if column == "heads" else change < 0
            held = verdict(as_claimed, as_claimed and abs(change) > noise)
        yield Claim(
            "G.1, Fig. 12",
            text,
            f"mean IPR by {column} {by_value(ipr, 3)} (four networks each; deviation among all"
            f" eight {noise:.3f})",
            held,
        )


def transformer_dropout(results: Results) -> Iterator[Claim]:
    rates = results["runs"].groupby("dropout")
    ipr, test = (rates[name].mean() for name in ("mean_ipr", "test_accuracy"))
    small = (test.index > 0) & (test.index <= 0.1)
    higher = ipr[small] > ipr.iloc[0]
    yield Claim(
        "G.2, Fig. 13",
        "a small dropout rate gives an embedding of higher IPR",
        f"mean IPR by rate {by_value(ipr, 3)}",
        verdict(bool(higher.any()), bool(higher.all())),
    )
    yield Claim(
        "G.2, Fig. 13",
        "rates above 0.1 do not help",
        f"test accuracy by rate {by_value(test, 3)}",
        bool(test.iloc[-1] <= test[small].max()),
    )
