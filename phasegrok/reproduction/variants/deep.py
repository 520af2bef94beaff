"""Claims on networks of three layers: section 2.2 (Figure 7b) and appendices G.3 and G.4."""

from __future__ import annotations

from collections.abc import Iterator

from phasegrok.analysis.trends import normalization_correlation
from phasegrok.reproduction.base import Claim, Results
from phasegrok.reproduction.variants.cells import COLUMNS, SMALL, WEAK
from phasegrok.reproduction.words import by_value, spread, verdict

__all__ = ["deep", "deep_batchnorm", "parametrizations"]


def deep(results: Results) -> Iterator[Claim]:
    runs = results["runs"]
    decays = runs.groupby("weight_decay")
    ipr, test = (decays[name].mean() for name in ("mean_ipr", "test_accuracy"))
    corrupted = decays["corrupted_accuracy"].mean()
    yield Claim(
        "2.2, Fig. 7b",
        "weight decay enhances generalization of a 3-layer ReLU network",
        f"test accuracy {by_value(test, 3)}, corrupted labels kept {by_value(corrupted, 3)}"
        f" ({SMALL}, alpha = 0.8, xi = 0.1)",
        bool(test.is_monotonic_increasing and corrupted.is_monotonic_decreasing),
    )
    yield Claim(
        "2.2, Fig. 7b",
        "and shifts the IPR of its input layer upwards",
        f"mean IPR {by_value(ipr, 3)}",
        bool(ipr.is_monotonic_increasing),
    )


def parametrizations(results: Results) -> Iterator[Claim]:
    ipr = results["neurons"].groupby(["layer", "initialization", "weight_decay"])["ipr"].mean()
    for layer, text in (
        ("input", "a lazier parametrization hardly shifts the IPR of the input layer"),
        ("output", "while the IPR of the output layer becomes larger"),
    ):
        standard, lazier = ipr[layer, "kaiming"], ipr[layer, "lazy"]
        as_claimed = (lazier - standard).abs() < 0.1 if layer == "input" else lazier > standard
        yield Claim(
            "G.3, Fig. 14",
            text,
            f"by weight decay, standard {by_value(standard, 3)}; lazier {by_value(lazier, 3)}",
            verdict(bool(as_claimed.any()), bool(as_claimed.all())),
        )


def deep_batchnorm(results: Results) -> Iterator[Claim]:
    runs, neurons = results["runs"], results["neurons"]
    yield Claim(
        "G.4, Fig. 15",
        "a 3-layer network with batch normalization is in Coexistence",
        f"train {spread(runs['train_accuracy'])}, test {spread(runs['test_accuracy'])}",
        bool((runs["subphase"] == "Coexistence").all()),
    )
    neurons = neurons.assign(high=(neurons["ipr"] > 0.7).astype(float))
    layers = neurons.groupby(["layer", "seed"])
    high, ipr = layers["high"].mean(), layers["ipr"].mean()
    yield Claim(
        "G.4, Fig. 15",
        "its neurons of high IPR are near the output, not near the input",
        f"share above 0.7: output {spread(high['output'])}, input {spread(high['input'])};"
        f" mean IPR {spread(ipr['output'])} and {spread(ipr['input'])}",
        verdict(
            bool(high["output"].min() > high["input"].max()),
            bool(ipr["output"].min() > ipr["input"].max()),
        ),
    )
    rank = layers[COLUMNS].apply(normalization_correlation)
    yield Claim(
        "G.4, Fig. 15",
        "its weights go with the IPR of the output layer",
        f"rank correlation {spread(rank['output'])}",
        bool(rank["output"].mean() > WEAK),
    )
    yield Claim(
        "G.4, Fig. 15",
        "and not strongly with that of the input layer",
        f"rank correlation {spread(rank['input'])}",
        bool(rank["input"].abs().mean() < WEAK),
    )
