"""A refusal points to what was meant: other names, other spellings, other forms."""

from __future__ import annotations

from pathlib import Path

import pytest

from phasegrok.config import OTHER_PATHS, PATHS
from phasegrok.errors import Refusal
from phasegrok.sweep.hints import SHORT_NAMES, of_kinds
from phasegrok.sweep.load import load, load_mapping
from tests.sweep.conftest import Bad, Write, check_refused, refused

KEYS: dict[str, Bad] = {
    "a block inside axes": (
        "axes: {optimizer: {weight_decay: [1]}}",
        "2:8",
        "axes.optimizer",
        ["found a block", "allowed: dotted paths, such as optimizer.weight_decay"],
    ),
    "a block inside axes, short": (
        "axes: {data: {alpha: [0.5]}}",
        "2:8",
        "axes.data",
        ["such as data.data_fraction"],
    ),
    "lr in its block": ("optimizer: {lr: 1}", "2:13", "optimizer.lr", ["mean learning_rate?"]),
    "lr on top": ("lr: 1", "2:1", "lr", ["optimizer.learning_rate (in the block optimizer:"]),
    "lr in another block": (
        "train: {lr: 1}",
        "2:9",
        "train.lr",
        ["did you mean optimizer.learning_rate (in the block optimizer: learning_rate)?"],
    ),
    "wd as an axis": ("axes: {wd: [1]}", "2:8", "axes.wd", ["mean optimizer.weight_decay?"]),
    "alpha as an axis": ("axes: {alpha: [1]}", "2:8", "axes.alpha", ["mean data.data_fraction?"]),
    "xi in data": ("data: {xi: 0.1}", "2:8", "data.xi", ["mean corruption_fraction?"]),
    "p in task": ("task: {p: 7}", "2:8", "task.p", ["did you mean modulus?"]),
    "N in a variant": ("variants: {a: {N: 7}}", "2:16", "variants.a.N", ["mean model.width?"]),
    "seed": ("seed: 1", "2:1", "seed", ["did you mean seeds?"]),
    "a dotted path on top": (
        "train.steps: 10",
        "2:1",
        "train.steps",
        ["did you mean train.steps (in the block train: steps)?"],
    ),
    "a leaf on top": ("weight_decay: 1", "2:1", "weight_decay", ["(in the block optimizer:"]),
    "a key of the wrong block": (
        "train: {loss: mse}",
        "2:9",
        "train.loss",
        ["did you mean loss (a block of its own)?"],
    ),
    "step of a range": (
        "axes: {data.data_fraction: {start: 0.1, stop: 0.9, step: 0.05}}",
        "2:52",
        "axes.data.data_fraction.step",
        ["did you mean num: 17?", "allowed: start, stop, num"],
    ),
    "min and max": (
        "seeds: {min: 0, max: 3, num: 4}",
        "2:9",
        "seeds.min",
        ["did you mean start?"],
    ),
}
VALUES: dict[str, Bad] = {
    "1e3 for a whole number": ("train: {steps: 1e3}", "2:16", "train.steps", ["(write 1000)"]),
    "a number in quotes": ('train: {steps: "1000"}', "2:16", "train.steps", ["(write 1000)"]),
    "thousands": ("train: {steps: 20_000}", "2:16", "train.steps", ["(write 20000)"]),
    "a decimal comma": (
        'data: {data_fraction: "0,5"}',
        "2:23",
        "data.data_fraction",
        ["(write 0.5)"],
    ),
    "a letter off": ("loss: crossentropy", "2:7", "loss", ["did you mean cross_entropy?"]),
    "a kind, a letter off": (
        "optimizer: {kind: adamww}",
        "2:19",
        "optimizer.kind",
        ["did you mean adamw?"],
    ),
    "yes": ("model: {bias: yes}", "2:15", "model.bias", ["(write true)"]),
    "none": ("model: {embedding: none}", "2:20", "model.embedding", ["(write null)"]),
    "a number of seeds": ("seeds: 3", "2:8", "seeds", ["write {start: 0, stop: 2, num: 3}"]),
    "one value of an axis": ("axes: {loss: mse}", "2:14", "axes.loss", ["(write [mse])"]),
    "a letter off in an axis": ("axes: {loss: [mse, hing]}", "2:20", "axes.loss", ["mean hinge?"]),
    "text for a block": ("train: steps 10", "2:8", "train", ["such as train: {steps: ...}"]),
}


@pytest.mark.parametrize("case", KEYS)
def test_a_key_is_pointed_to(case: str, write: Write) -> None:
    check_refused(write, KEYS[case])


@pytest.mark.parametrize("case", VALUES)
def test_a_value_is_pointed_to(case: str, write: Write) -> None:
    check_refused(write, VALUES[case])


def test_every_short_name_stands_for_a_key() -> None:
    """A hint never names a key that there is not."""
    known = {*PATHS, *OTHER_PATHS, "loss", "optimizer", "seeds", "axes"}
    assert set(SHORT_NAMES.values()) <= known


def test_allowed_are_keys_of_this_kind_only(write: Write) -> None:
    """A default optimizer has no momentum, SGD no betas; of a block with several kinds, by an axis
    or variants, all of theirs are told. A path of another kind still is a path."""
    line = refused(write("name: a\noptimizer: {zzz: 1}\n"))
    assert "beta1" in line and "momentum" not in line
    line = refused(write("name: a\noptimizer: {kind: sgd, zzz: 1}\n"))
    assert "momentum" in line and "beta1" not in line
    line = refused(write("name: a\noptimizer: {zzz: 1}\naxes: {optimizer.kind: [sgd, adamw]}\n"))
    assert "momentum" in line and "beta1" in line
    line = refused(write("name: a\nmodel: {kind: lstm}\naxes: {model.zzz: [1]}\n"))
    assert "(allowed in model: " in line and " layers" in line and " heads" not in line
    line = refused(write("name: a\naxes: {zzz: [1]}\n"))
    assert "BLOCK.KEY with a block of task, data" in line and "task.bits" not in line
    assert of_kinds(["seeds", "model.heads"], {"model": ["transformer"]}) == (
        "seeds",
        "model.heads",
    )


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("optimizer.lr=1", "did you mean optimizer.learning_rate? "),
        ("optimizer.momntum=1", "did you mean optimizer.momentum? "),
        ("optimizer.zzz=1", "unknown key (allowed in optimizer: "),
        ("optimizer.width=1", "did you mean model.width (in the block model: width)? "),
        ("modle.width=1", "did you mean model.width? "),
        ("axes={optimizer.weight_decay: [1]}", "allowed: one, axes.optimizer.weight_decay=["),
        ("axes=1", "allowed: one, axes.PATH=["),
    ],
)
def test_a_changed_path_is_pointed_to(change: str, words: str, write: Write) -> None:
    """By its last name, in the block that it names: paths of a block are all alike at first."""
    with pytest.raises(Refusal) as caught:
        load(write("name: a\n"), [change])
    assert words in str(caught.value)


def test_all_mistakes_at_once(write: Write) -> None:
    """A line each, in the order of the file, none told twice; sound keys are no mistakes."""
    text = "nmae: b\nname: a\nloss: msee\ntrain: {steps: 1e3, log_evry: 5}\n"
    text += "axes: {wd: [1], data.data_fraction: [0.5, 2]}\nvariants: {v: {lr: 1}, w: {}}\n"
    text += "reduced: {train.stesp: 5}\n"
    with pytest.raises(Refusal) as caught:
        load(write(text), ["model.wdith=3"])
    lines = str(caught.value).split("\n")
    heads = [line.split(": ")[1] for line in lines]
    assert heads == [
        "nmae",
        "loss",
        "train.steps",
        "train.log_evry",
        "axes.wd",
        "axes.data.data_fraction",
        "variants.v.lr",
        "reduced.train.stesp",
        "model.wdith",
    ]
    places = [int(line.split(":")[1]) for line in lines[:-1]]
    assert places == sorted(places) and "did you mean model.width?" in lines[-1]


def test_of_many_mistakes_ten_are_told() -> None:
    values = {f"zzz{number}": 1 for number in range(30)} | {"name": "a"}
    with pytest.raises(Refusal) as caught:
        load_mapping(values)
    lines = str(caught.value).split("\n")
    assert len(lines) == 11 and lines[-1].startswith("and 20 more mistakes")


def test_data_lie_beside_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From anywhere the folder beside the file is found, in a block, an axis and a variant; one
    that is not there is taken from the working directory, as one of a --set always is."""
    home, elsewhere = tmp_path / "home", tmp_path / "elsewhere"
    (home / "mnist").mkdir(parents=True)
    (elsewhere / "other").mkdir(parents=True)
    text = "name: a\ntask: {kind: images, source: mnist}\n"
    text += "variants: {v: {task.source: mnist, model.width: 5}, w: {task.source: other}}\n"
    (home / "s.yaml").write_text(text)
    (home / "t.yaml").write_text("name: a\ntask: {kind: images}\naxes: {task.source: [mnist]}\n")
    monkeypatch.chdir(elsewhere)
    sweep = load(Path("../home/s.yaml"))
    assert Path(sweep.base.task.source) == Path("../home/mnist")  # type: ignore[union-attr]
    v, w = (dict(variant.settings)["task.source"] for variant in sweep.variants)
    assert (v, w) == ("../home/mnist", "other")
    assert load(home / "t.yaml").axes[0].values == (str(home / "mnist"),)
    given = load(Path("../home/s.yaml"), ["task.source=mnist"]).base
    assert given.task.source == "mnist"  # type: ignore[union-attr]
    plain = load_mapping({"name": "a", "task": {"kind": "images", "source": "digits"}})
    assert plain.base.task.source == "digits"  # type: ignore[union-attr]
