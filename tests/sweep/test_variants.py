"""Variants: sweeps that are not a full product of axes."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from phasegrok.config import AdamW, Mlp, Sgd, Transformer
from phasegrok.plan.runs import expand
from phasegrok.sweep import load as sweepfile
from phasegrok.sweep.load import dump, load
from phasegrok.sweep.sweep import Sweep
from tests.sweep.conftest import BASE, FOUR, Write, refused


def names(sweep: Sweep) -> list[str]:
    return [variant.name for variant in sweep.variants]


# The file ----------------------------------------------------------------------------------------


def test_a_variant_overrides_the_base(write: Write) -> None:
    """Its values replace those of the base.

    If it chooses a kind, keys that both kinds have keep the base's values. Keys of the old kind are
    dropped, and all others have the new kind's defaults.
    """
    sweep = load(write(BASE + FOUR))
    adam, decay, sgd, encoder = (sweep.at({}, variant) for variant in sweep.variants)
    assert names(sweep) == ["adam", "decay", "sgd", "encoder"]
    assert adam == sweep.base == sweep.at({})
    assert decay.optimizer == AdamW(learning_rate=0.02, beta1=0.8, weight_decay=0.5)
    assert decay.model == sgd.model == Mlp(width=12)
    assert sgd.optimizer == Sgd(learning_rate=0.02, momentum=0.5)
    assert encoder.model == Transformer(heads=2, embedding=8, feed_forward=8)
    assert encoder.optimizer == adam.optimizer


def test_the_base_may_set_keys_of_the_variants_kinds(write: Write) -> None:
    """As with a `kind` axis. Keys that no kind of the sweep has are still refused."""
    text = BASE.replace("width: 12", "width: 12, heads: 2, feed_forward: 6")
    sweep = load(write(text + "  mlp: {}\n  encoder: {model.kind: transformer}\n"))
    assert sweep.at({}, sweep.variants[0]).model == Mlp(width=12)
    assert sweep.at({}, sweep.variants[1]).model == Transformer(heads=2, feed_forward=6)
    line = refused(write(text + "  mlp: {}\n  wide: {model.width: 24}\n"))
    assert line.startswith("s.yaml:3:27: model.heads: not available for model.kind mlp")


def test_null_unsets(write: Write) -> None:
    """Steps and epochs exclude each other. Explicit steps must be set to null, default steps need
    not."""
    text = BASE.replace("steps: 40, ", "steps: 40, ") + "  a: {}\n  b: {train.epochs: 20}\n"
    assert "found both steps 40 and epochs 20" in refused(write(text))
    sweep = load(write(text.replace("epochs: 20", "epochs: 20, train.steps: null")))
    assert sweep.at({}, sweep.variants[1]).train.steps is None
    sweep = load(write(text.replace("steps: 40, ", "")))
    assert sweep.at({}, sweep.variants[1]).train.epochs == 20
    assert load(write(dump(sweep))) == sweep


def test_set_changes_what_variants_share(write: Write) -> None:
    """A variant's value wins over --set, as it wins over the file. Another kind for the base drops
    the keys of the old one. An axis may be added to the variants."""
    path = write(BASE + FOUR)
    sweep = load(path, ["optimizer.weight_decay=3", "optimizer.beta2=0.9"])
    decays = [sweep.at({}, v).optimizer.weight_decay for v in sweep.variants]
    assert decays == [3, 0.5, 3, 3]
    sweep = load(path, ["optimizer.kind=adam", "axes.data.data_fraction=[0.3]"])
    kinds = [sweep.at({}, v).optimizer.kind for v in sweep.variants]
    assert kinds == ["adam", "adam", "sgd", "adam"]
    assert sweep.at({}, sweep.variants[1]).optimizer.weight_decay == 0.5


def test_reduced_replaces_adds_and_drops_whole_variants(write: Write) -> None:
    """By name, and in order. What reduced changes in the base changes for all of them. Without the
    flag nothing changes."""
    path = write(
        BASE + FOUR + "reduced:\n  train.steps: 20\n  model.width: 6\n  variants: {"
        "sgd: null, decay: {model.width: 8}, new: {loss: cross_entropy}}\n"
    )
    assert names(load(path)) == ["adam", "decay", "sgd", "encoder"]
    small = load(path, reduced=True)
    assert names(small) == ["adam", "decay", "encoder", "new"]
    adam, decay, _, new = (small.at({}, variant) for variant in small.variants)
    assert decay.optimizer.weight_decay == 0, "replaced, not merged"
    assert (adam.model, decay.model, new.loss) == (Mlp(width=6), Mlp(width=8), "cross_entropy")
    assert adam.train.steps == decay.train.steps == 20
    added = load(write("name: a\nreduced: {variants: {b: {}}}"), reduced=True)
    assert names(added) == ["b"]


PARITY = "  a: {data.data_fraction: 0.3}\n  b: {task.kind: parity, task.bits: 9, loss: hinge}\n"


@pytest.mark.parametrize(
    ("text", "overrides"),
    [
        (BASE + FOUR, []),
        (BASE + FOUR, ["axes.loss=[mse, cross_entropy]", "optimizer.kind=adam"]),
        (BASE + FOUR, ["model.kind=transformer", "model.embedding=12"]),
        (BASE + "  '1': {}\n  null: {train.batch_size: 8}\n  -true: {loss: cross_entropy}\n", []),
        ("name: a\nvariants:\n" + PARITY, ["axes.model.width=[8, 16]"]),
        ("name: a\nvariants: {a: {model.layers: 2}, b: {}}\naxes: {model.kind: [transformer]}", []),
    ],
)
def test_dump_loads_as_an_equal_sweep(text: str, overrides: list[str], write: Write) -> None:
    """Every default of a chosen kind is written out, so that no value of the base replaces it. Runs
    are the same too."""
    sweep = load(write(text), overrides)
    again = load(write(dump(sweep)))
    assert again == sweep and dump(again) == dump(sweep)
    assert [again.at({}, v) for v in again.variants] == [sweep.at({}, v) for v in sweep.variants]
    pd.testing.assert_frame_equal(expand(again).frame, expand(sweep).frame)
    assert json.loads(json.dumps(sweep.resolved())) == sweep.resolved()


# Bad files ---------------------------------------------------------------------------------------

BAD: dict[str, tuple[str, str, list[str]]] = {
    "none": ("variants: {}", "6:11: variants", ["found an empty mapping", "at least one name"]),
    "nothing": ("variants:", "6:1: variants", ["found nothing (null)", "at least one name"]),
    "a list": ("variants: [a, b]", "6:11: variants", ["found a list", "a mapping of"]),
    "a name": ("variants: {a.b: {}}", "6:12: variants.a.b", ['the name "a.b"', "A-Z a-z 0-9 _ -"]),
    "an empty name": ('variants: {"": {}}', "6:12: variants.", ['the name ""', "1 to 100"]),
    "a long name": (f"variants: {{{'n' * 101}: {{}}}}", "6:12: variants.nnn", ["1 to 100"]),
    "a name twice": ("variants: {a: {}, a: {}}", "6:19: variants.a", ["a second time"]),
    "null": ("variants: {a: }", "6:12: variants.a", ["nothing (null)", "({} for the base"]),
    "no mapping": ("variants: {a: 3}", "6:15: variants.a", ["found 3", "a mapping of paths"]),
    "an unknown path": (
        "variants:\n  a: {optimizer.wieght_decay: 1}",
        "7:7: variants.a.optimizer.wieght_decay",
        ["unknown key; did you mean optimizer.weight_decay?"],
    ),
    "a bare key": (
        "variants:\n  a: {width: 8}",
        "7:7: variants.a.width",
        ["did you mean model.width?"],
    ),
    "a key that is not part of an experiment": (
        "variants:\n  a: {seeds: [1]}",
        "7:7: variants.a.seeds",
        ["unknown key", "BLOCK.KEY with a block of task, data", "phasegrok keys"],
    ),
    "a key of measure": (
        "variants:\n  a: {measure.rows: 1}",
        "7:7: variants.a.measure.rows",
        ["unknown key"],
    ),
    "a nested block": (
        "variants: {a: {model: {width: 8}}}",
        "6:16: variants.a.model",
        ["allowed: dotted paths, such as model.width"],
    ),
    "a list of values": (
        "variants:\n  a: {model.width: [8, 16]}",
        "7:20: variants.a.model.width",
        ["found a list", "a whole number at least 1", "(to sweep it: axes.model.width)"],
    ),
    "a wrong value": (
        "variants:\n  a: {data.data_fraction: 1}",
        "7:27: variants.a.data.data_fraction",
        ["found 1;", "a number above 0 and below 1"],
    ),
    "an axis too": (
        "variants:\n  a: {model.width: 8}\naxes: {model.width: [4]}",
        "7:20: variants.a.model.width",
        ["an axis too (s.yaml:8:8)", "one of the two"],
    ),
    "the same twice": (
        "variants:\n  a: {}\n  b: {loss: mse}\n",
        "8:3: variants.b",
        ["found the same experiment as variant a", "variants that differ"],
    ),
    "a key of another kind": (
        "variants:\n  a: {model.layers: 2}\n  b: {model.kind: transformer}",
        "7:21: variants.a.model.layers",
        ["not available for model.kind mlp; use one of: kind"],
    ),
    "a key that a swept kind does not have": (
        "variants:\n  a: {model.width: 8}\naxes: {model.kind: [mlp, transformer]}",
        "7:20: variants.a.model.width",
        ["not available for model.kind transformer"],
    ),
    "an axis that one variant does not have": (
        "variants:\n  a: {}\n  b: {model.kind: transformer}\naxes: {model.depth: [2, 3]}",
        "9:8: model.depth",
        ["not available for model.kind transformer"],
    ),
    "impossible, its own setting": (
        "variants:\n  a: {}\n  b: {task.kind: parity, model.kind: transformer}",
        "8:18: variants.b.task.kind",
        ["found model.kind transformer with task.kind parity"],
    ),
    "impossible with an axis": (
        "variants:\n  a: {train.log_every: 8}\naxes: {train.steps: [40, 36]}",
        "7:24: variants.a.train.log_every",
        ["found steps 36 with log_every 8"],
    ),
    "impossible with a default": (
        "variants:\n  a: {}\n  b: {model.kind: transformer, model.heads: 3}",
        "8:45: variants.b.model.heads",
        ["found heads 3 with embedding 128"],
    ),
    "too many runs": (
        "variants:\n  a: {}\n  b: {model.width: 8}\n"
        "axes: {model.dropout: {start: 0, stop: 0.5, num: 600000}}",
        "9:23: axes.model.dropout",
        ["found 2 x 600000 = 1200000 runs", "at most 1000000"],
    ),
    "reduced: an unknown one": (
        "variants: {a: {}}\nreduced: {variants: {b: null}}",
        "7:25: reduced.variants.b",
        ["found null for an unknown variant; allowed: a"],
    ),
    "reduced: none left": (
        "variants: {a: {}}\nreduced: {variants: {a: null}}",
        "7:21: reduced.variants",
        ["found null for every variant", "at least one"],
    ),
    "reduced: a wrong value": (
        "variants: {a: {}}\nreduced: {variants: {a: {model.width: 0}}}",
        "7:39: reduced.variants.a.model.width",
        ["found 0", "at least 1"],
    ),
    "reduced: a part": (
        "variants: {a: {}}\nreduced: {variants.a.model.width: 8}",
        "7:11: reduced.variants.a.model.width",
        ["found a part of a variant", "whole ones"],
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_variants_are_refused_in_one_line(case: str, write: Write) -> None:
    """At the mistake, which is the only one in the file, also where --reduced is not given."""
    text, start, words = BAD[case]
    line = refused(write(BASE.removesuffix("variants:\n") + text))
    assert line.startswith(f"s.yaml:{start}"), line
    assert all(word in line for word in words), line
    assert "allowed" in line or "use one of" in line, line


def test_variants_times_seeds_are_counted(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also if there is no axis."""
    monkeypatch.setattr(sweepfile, "MAX_RUNS", 7)
    line = refused(write(BASE + FOUR + "seeds: [0, 1]\n"))
    assert line == "s.yaml:7:3: variants: found 8 runs; allowed: at most 7"


def test_a_default_of_the_base_that_a_kind_cannot_have(write: Write) -> None:
    """A variant keeps the base's value of a key that both kinds have. If the new kind does not take
    the value, the refusal names the variant, since the base is sound."""
    text = BASE.replace("width: 12", "normalization: batch")
    line = refused(write(text + "  a: {}\n  b: {model.kind: transformer}\n"))
    assert (
        line
        == "s.yaml:8:3: variants.b.model.normalization: found batch; allowed: none, batch or layer"
    )


@pytest.mark.parametrize("key", ["variants", "variants.decay", "variants.decay.model.width"])
def test_set_does_not_reach_into_variants(key: str, write: Write) -> None:
    """The refusal is one line, whether the variant exists or not."""
    line = refused(write(BASE + FOUR), [f"{key}=1"])
    assert line.startswith(f"--set {key}=1: {key}: found a change of variants; allowed: ")
    conflict = refused(write(BASE + FOUR), ["axes.optimizer.weight_decay=[0, 1]"])
    assert conflict.startswith("s.yaml:8:35: variants.decay.optimizer.weight_decay: found a path")
    assert "(--set axes.optimizer.weight_decay=[0, 1])" in conflict
