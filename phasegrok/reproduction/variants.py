"""Claims of Doshi et al. on normalization, losses, activations, widths and architectures: section
2.2, Figures 5 and 7, and appendices F, G, H, M, N, O and P."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pandas as pd

from phasegrok.analysis.phases import GENERALIZES
from phasegrok.analysis.trends import normalization_correlation
from phasegrok.reproduction.base import Claim, Results, spread

__all__ = ["claims"]

# Of no correlation: several hundred neurons have this much, or less, by chance or a weak link.
WEAK: Final = 0.3
GRID = ["data_fraction", "corruption_fraction"]
SMALL = "p = 47, N = 256"
COLUMNS: Final = ["ipr", "normalization_weight"]


def claims(root: Path) -> Iterator[Claim]:
    """Every claim whose results are under ``root``, in the paper's order."""

    def results(name: str) -> Results:
        return Results(root / name)

    yield from _normalization_weights(results("batchnorm-weights"))
    yield from _normalization(results("normalization"))
    yield from _transformer(results("transformer"))
    yield from _deep(results("mlp3"))
    yield from _configurations(results("transformer-configurations"))
    yield from _transformer_dropout(results("transformer-dropout"))
    yield from _parametrizations(results("mlp3-parametrizations"))
    yield from _deep_batchnorm(results("mlp3-batchnorm"))
    yield from _images(results("mnist"), results("mnist-dropout"), "10,000 digits of MNIST")
    yield from _images(results("images"), results("images-dropout"), "scikit-learn's digits")
    small = results("quickstart")
    yield from _cross_entropy(results("cross-entropy"), results("cross-entropy-dropout"), small)
    yield from _relu(results("relu-wd"), results("relu-dropout"), small)
    yield from _wide(results("wide-wd"), small)
    for name in ("wide-relu-wd", "wide-relu-fast"):
        yield _wide_relu(results(name), results("relu-wd"))
    yield from _multiplication(results("multiplication"), small)


def _each(values: pd.Series[Any], digits: int | None = None) -> str:
    """``value: number`` for every entry."""
    return ", ".join(
        (f"{key:g}" if isinstance(key, float) else f"{key}")
        + (f": {number}" if digits is None else f": {number:.{digits}f}")
        for key, number in values.items()
    )


def _counts(runs: pd.DataFrame, column: str, phase: str, label: str = "phase") -> pd.Series[int]:
    """Cells of a phase at every value of an axis."""
    return (runs[label] == phase).groupby(runs[column]).sum().astype(int)


def _same_cells(one: pd.DataFrame, other: pd.DataFrame, *axes: str) -> pd.DataFrame:
    """Both tables' cells that are in both, columns of the other with ``_other``."""
    keys = [*GRID, *axes]
    one, other = (table.assign(**{k: table[k].round(9) for k in keys}) for table in (one, other))
    return one.merge(other, on=keys, suffixes=("", "_other"))


def _normalization_weights(results: Results) -> Iterator[Claim]:
    ranks = {
        name: table.groupby("seed")[["ipr", "normalization_weight"]].apply(
            normalization_correlation
        )
        for name, table in results["neurons"].groupby("normalization")
    }
    yield Claim(
        "2.2, Fig. 5",
        "the weights of batch normalization go with the IPR of their neurons",
        f"rank correlation {spread(ranks['batch'])} over three seeds",
        bool(ranks["batch"].min() > WEAK),
    )
    yield Claim(
        "F",
        "those of layer normalization do not",
        f"rank correlation {', '.join(f'{rank:.2f}' for rank in ranks['layer'])}",
        bool(ranks["layer"].abs().max() < WEAK),
    )


def _normalization(results: Results) -> Iterator[Claim]:
    runs = results["runs"]
    kept = runs.set_index(["normalization", "batch_size", *GRID])["corrupted_accuracy"]
    fewer = kept["batch"] < kept["none"]
    inverted = runs[runs["phase"] == "Inversion"].groupby("normalization").size()
    yield Claim(
        "2.2, Fig. 9",
        "batch normalization widens Inversion over no normalization",
        f"fewer corrupted labels kept in {fewer.sum()} of {len(fewer)} cells (by"
        f" {(kept['none'] - kept['batch']).mean():.3f} in the mean); of these, Inversion"
        f" {inverted['batch']} and {inverted['none']} (p = 97, N = 500)",
        _all_or_part(bool(fewer.mean() > 0.5), bool(fewer.all())),
    )
    for name, figure in (("none", "Fig. 10"), ("batch", "Fig. 9"), ("layer", "Fig. 11")):
        by_size = kept[name].groupby("batch_size").mean()
        yield Claim(
            f"F, {figure}",
            f"smaller batches widen Inversion (normalization: {name})",
            f"corrupted labels kept, by batch size: {_each(by_size, 3)}",
            _all_or_part(bool(by_size.iloc[0] < by_size.iloc[-1]), by_size.is_monotonic_increasing),
        )


def _all_or_part(partly: bool, fully: bool) -> bool | None:
    """Yes where all of a claim holds, in part where only some of it does."""
    return True if fully and partly else (None if partly else False)


def _transformer(results: Results) -> Iterator[Claim]:
    runs = results["runs"]
    decays = runs.groupby("weight_decay")
    ipr, test, corrupted = (
        decays[name].mean() for name in ("mean_ipr", "test_accuracy", "corrupted_accuracy")
    )
    words = "one layer, embedding 64, p = 47, mean of 4 cells"
    yield Claim(
        "2.2, Fig. 7a",
        "weight decay enhances generalization of a Transformer",
        f"test accuracy {_each(test, 3)}, corrupted labels kept {_each(corrupted, 3)} ({words})",
        bool(test.is_monotonic_increasing and corrupted.is_monotonic_decreasing),
    )
    yield Claim(
        "2.2, Fig. 7a",
        "and shifts the IPR of its embedding upwards",
        f"mean IPR {_each(ipr, 3)}; a random row has 0.083",
        bool(ipr.is_monotonic_increasing),
    )


def _deep(results: Results) -> Iterator[Claim]:
    runs = results["runs"]
    decays = runs.groupby("weight_decay")
    ipr, test = (decays[name].mean() for name in ("mean_ipr", "test_accuracy"))
    corrupted = decays["corrupted_accuracy"].mean()
    yield Claim(
        "2.2, Fig. 7b",
        "weight decay enhances generalization of a 3-layer ReLU network",
        f"test accuracy {_each(test, 3)}, corrupted labels kept {_each(corrupted, 3)}"
        f" ({SMALL}, alpha = 0.8, xi = 0.1)",
        bool(test.is_monotonic_increasing and corrupted.is_monotonic_decreasing),
    )
    yield Claim(
        "2.2, Fig. 7b",
        "and shifts the IPR of its input layer upwards",
        f"mean IPR {_each(ipr, 3)}",
        bool(ipr.is_monotonic_increasing),
    )


def _configurations(results: Results) -> Iterator[Claim]:
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
            as_said = change > 0 if column == "heads" else change < 0
            held = _all_or_part(as_said, as_said and abs(change) > noise)
        yield Claim(
            "G.1, Fig. 12",
            text,
            f"mean IPR by {column} {_each(ipr, 3)} (four networks each; deviation among all eight"
            f" {noise:.3f})",
            held,
        )


def _transformer_dropout(results: Results) -> Iterator[Claim]:
    rates = results["runs"].groupby("dropout")
    ipr, test = (rates[name].mean() for name in ("mean_ipr", "test_accuracy"))
    small = (test.index > 0) & (test.index <= 0.1)
    higher = ipr[small] > ipr.iloc[0]
    yield Claim(
        "G.2, Fig. 13",
        "a small dropout rate gives an embedding of higher IPR",
        f"mean IPR by rate {_each(ipr, 3)}",
        _all_or_part(bool(higher.any()), bool(higher.all())),
    )
    yield Claim(
        "G.2, Fig. 13",
        "rates above 0.1 do not help",
        f"test accuracy by rate {_each(test, 3)}",
        bool(test.iloc[-1] <= test[small].max()),
    )


def _parametrizations(results: Results) -> Iterator[Claim]:
    ipr = results["neurons"].groupby(["layer", "initialization", "weight_decay"])["ipr"].mean()
    for layer, text in (
        ("input", "a lazier parametrization hardly shifts the IPR of the input layer"),
        ("output", "while the IPR of the output layer becomes larger"),
    ):
        standard, lazier = ipr[layer, "kaiming"], ipr[layer, "lazy"]
        as_said = (lazier - standard).abs() < 0.1 if layer == "input" else lazier > standard
        yield Claim(
            "G.3, Fig. 14",
            text,
            f"by weight decay, standard {_each(standard, 3)}; lazier {_each(lazier, 3)}",
            _all_or_part(bool(as_said.any()), bool(as_said.all())),
        )


def _deep_batchnorm(results: Results) -> Iterator[Claim]:
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
        _all_or_part(
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


def _images(decayed: Results, dropped: Results, which: str) -> Iterator[Claim]:
    runs = decayed["runs"]
    full = _counts(runs, "weight_decay", "Full Inversion", "subphase")
    most = runs[runs["weight_decay"] == runs["weight_decay"].max()]
    yield Claim(
        "H, Fig. 16",
        f"weight decay enhances generalization and leads to Full Inversion ({which})",
        f"test accuracy {_each(runs.groupby('weight_decay')['test_accuracy'].mean(), 3)};"
        f" cells of Full Inversion of 8 {_each(full)}",
        bool(full.max() > full.iloc[0] == 0),
    )
    yield Claim(
        "H, Fig. 16",
        f"very high weight decay leads to Confusion ({which})",
        f"{(most['phase'] == 'Confusion').sum()} of {len(most)} cells at"
        f" {most['weight_decay'].iloc[0]:g}",
        bool((most["phase"] == "Confusion").all()),
    )
    rates = dropped["runs"].groupby("dropout")
    train, test = (rates[f"{name}_accuracy"].mean() for name in ("train", "test"))
    inverted = _counts(dropped["runs"], "dropout", "Inversion")
    best = runs.groupby("weight_decay")["test_accuracy"].mean().max()
    yield Claim(
        "H, Fig. 16",
        f"dropout is not as effective ({which})",
        f"cells of Inversion {_each(inverted)}; best mean test accuracy {test.max():.3f},"
        f" under weight decay {best:.3f}",
        bool(test.max() < best),
    )
    yield Claim(
        "H, Fig. 16",
        f"more dropout lowers both train and test accuracy ({which})",
        f"train {_each(train, 3)}; test {_each(test, 3)}",
        _all_or_part(
            train.iloc[-1] < train.max() and test.iloc[-1] < test.max(),
            train.is_monotonic_decreasing and test.is_monotonic_decreasing,
        ),
    )


def _cross_entropy(decayed: Results, dropped: Results, small: Results) -> Iterator[Claim]:
    runs = decayed["runs"]
    none = _same_cells(runs, small["runs"], "weight_decay")
    none = none[none["weight_decay"] == 0]
    ours, mse = ((none[f"test_accuracy{s}"] >= GENERALIZES).sum() for s in ("", "_other"))
    yield Claim(
        "M, Fig. 26",
        "robustness to corrupted labels is weaker than with MSE",
        f"without decay {ours} of {len(none)} cells generalize, with MSE {mse} ({SMALL})",
        bool(ours < mse),
    )
    inverted, confused, forgot = (
        _counts(runs, "weight_decay", phase) for phase in ("Inversion", "Confusion", "Forgetting")
    )
    yield Claim(
        "M, Fig. 26",
        "Inversion in a narrow band of weight decays, beyond it Confusion",
        f"cells of 16: Inversion {_each(inverted)}; Confusion {_each(confused)}",
        bool((inverted > 0).sum() == 1 and confused.iloc[-1] > 8),
    )
    lost = runs[runs["phase"] == "Forgetting"]["test_accuracy"]
    yield Claim(
        "M, Fig. 26",
        "no Forgetting",
        f"{_each(forgot)}; test accuracy of those {', '.join(f'{x:.2f}' for x in sorted(lost))}",
        bool(lost.empty),
    )
    runs = dropped["runs"]
    generalize = (runs["test_accuracy"] >= GENERALIZES).groupby(runs["dropout"]).sum()
    inverted = _counts(runs, "dropout", "Inversion")
    yield Claim(
        "M, Fig. 26",
        "very high dropout rates are needed to grok or invert",
        f"cells of 16 that generalize {_each(generalize)}, that invert {_each(inverted)}",
        bool(inverted[inverted.index <= 0.5].sum() == 0 and inverted.iloc[-1] > 0),
    )


def _relu(decayed: Results, dropped: Results, small: Results) -> Iterator[Claim]:
    runs = decayed["runs"]
    forgot = (runs["phase"] == "Forgetting").sum()
    quadratic = _counts(small["runs"], "weight_decay", "Forgetting")
    yield Claim(
        "N, Fig. 27",
        "no Forgetting with ReLU",
        f"{forgot} of {len(runs)} cells up to weight decay {runs['weight_decay'].max():g};"
        f" quadratic {_each(quadratic)} of 20 ({SMALL})",
        bool(forgot == 0 < quadratic.iloc[-1]),
    )
    none, other = (
        (t[(t["weight_decay"] == 0) & (t["data_fraction"] > 0.2)]["test_accuracy"] >= GENERALIZES)
        for t in (runs, small["runs"])
    )
    yield Claim(
        "N, Fig. 27",
        "grokking requires more regularization than with the square",
        f"without decay {none.sum()} of {len(none)} cells generalize, quadratic {other.sum()}",
        bool(none.sum() < other.sum()),
    )
    rates = dropped["runs"]
    confused = _counts(rates, "dropout", "Confusion")
    generalize = (rates["test_accuracy"] >= GENERALIZES).groupby(rates["dropout"]).sum()
    yield Claim(
        "N, Fig. 28",
        "dropout is not as effective with ReLU: Confusion at moderate rates",
        f"cells of 16: Confusion {_each(confused)}; generalizing {_each(generalize)}",
        bool(confused.iloc[0] == 0 < confused.iloc[-1] and generalize.iloc[-1] == 0),
    )


def _wide(results: Results, small: Results) -> Iterator[Claim]:
    both = _same_cells(results["runs"], small["runs"], "weight_decay")
    none = both[both["weight_decay"] == 0]
    partial = (none["subphase"] == "Partial Inversion").sum()
    wide, usual = ((none[f"phase{s}"] == "Coexistence").sum() for s in ("", "_other"))
    yield Claim(
        "O, Fig. 29",
        "ten times the width, no decay: no Partial Inversion, less Coexistence",
        f"cells of {len(none)}: Partial Inversion {partial}; Coexistence {wide}, at the usual width"
        f" {usual} (N = 2560 and 256, p = 47)",
        _all_or_part(partial == 0, partial == 0 and wide < usual),
    )
    test, other = both["test_accuracy"].mean(), both["test_accuracy_other"].mean()
    yield Claim(
        "O, Fig. 29",
        "and marginally poorer generalization",
        f"mean test accuracy of {len(both)} cells {test:.3f}, at the usual width {other:.3f}",
        bool(test < other),
    )


def _wide_relu(results: Results, narrow: Results) -> Claim:
    """Against the usual width in cells of equal learning rate times weight decay, which is by how
    much AdamW shrinks the weights in a step."""
    one, other = (
        runs.assign(shrinkage=runs["learning_rate"] * runs["weight_decay"])
        for runs in (results["runs"], narrow["runs"])
    )
    both = _same_cells(one, other, "shrinkage")
    rate, decays = both["learning_rate"].iloc[0], sorted(both["weight_decay"].unique())
    wide, usual = ((both[f"phase{s}"] == "Confusion").sum() for s in ("", "_other"))
    test, accuracy = both["test_accuracy"].mean(), both["test_accuracy_other"].mean()
    return Claim(
        "O, Fig. 30",
        "with ReLU the width removes Confusion and improves performance",
        f"learning rate {rate:g}, weight decay {', '.join(f'{d:g}' for d in decays)}: cells of"
        f" {len(both)}: Confusion {wide}, at the usual width"
        f" {usual}; mean test accuracy {test:.3f}, at the usual width {accuracy:.3f}",
        bool(test > accuracy and wide <= usual),
    )


def _multiplication(results: Results, small: Results) -> Iterator[Claim]:
    both = _same_cells(results["runs"], small["runs"], "weight_decay")
    same = both["subphase"] == both["subphase_other"]
    ipr = both["mean_ipr"].corr(both["mean_ipr_other"])
    yield Claim(
        "P, Fig. 31",
        "multiplication gives almost the diagram of addition",
        f"{same.sum()} of {len(both)} labels are the same; mean IPR (in the group's order)"
        f" correlates at {ipr:.3f} over the cells ({SMALL})",
        bool(same.mean() >= 0.9),
    )
