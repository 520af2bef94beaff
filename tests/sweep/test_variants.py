"""Variants: sweeps that are no product, from the file to the tables."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from phasegrok import run as runner
from phasegrok.cli.progress import diagram, plan_text
from phasegrok.config import AdamW, Mlp, Sgd, Transformer
from phasegrok.config.identity import identity
from phasegrok.errors import Refusal
from phasegrok.figures import canvas, draw
from phasegrok.plan.layout import Machine
from phasegrok.plan.plan import plan
from phasegrok.plan.runs import expand
from phasegrok.results.folder import Folder
from phasegrok.sweep import load as sweepfile
from phasegrok.sweep.load import Sweep, dump, load

MACHINE = Machine("cpu", 2, 1 << 34, 1 << 30, 1e11, 2.0)
# Line 7 is the block's first variant.
BASE = """\
name: tiny
task: {kind: modular, modulus: 7}
model: {width: 12}
optimizer: {learning_rate: 0.02, beta1: 0.8}
train: {steps: 40, log_every: 10}
variants:
"""
FOUR = """\
  adam: {}
  decay: {optimizer.weight_decay: 0.5}
  sgd: {optimizer.kind: sgd, optimizer.momentum: 0.5}
  encoder: {model.kind: transformer, model.heads: 2, model.embedding: 8, model.feed_forward: 8}
"""
AXES = "axes: {data.data_fraction: [0.4, 0.6], model.init_scale: [1, 2]}\nseeds: [0, 3]\n"

Write = Callable[[str], Path]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Writes s.yaml into the test's own folder, which is made the working directory."""
    monkeypatch.chdir(tmp_path)

    def to_file(content: str) -> Path:
        Path("s.yaml").write_text(content)
        return Path("s.yaml")

    return to_file


def refused(path: Path, *overrides: str, reduced: bool = False) -> str:
    with pytest.raises(Refusal) as caught:
        load(path, overrides, reduced)
    line = str(caught.value)
    assert line.isprintable(), repr(line)
    return line


def names(sweep: Sweep) -> list[str]:
    return [variant.name for variant in sweep.variants]


# The file ----------------------------------------------------------------------------------------


def test_a_variant_overrides_the_base(write: Write) -> None:
    """Its own values hold, others are the base's; a kind that it chooses keeps what the base says
    of keys that both kinds have, loses the rest, and has its own defaults where nothing is said."""
    sweep = load(write(BASE + FOUR))
    adam, decay, sgd, encoder = (sweep.at({}, variant) for variant in sweep.variants)
    assert names(sweep) == ["adam", "decay", "sgd", "encoder"]
    assert adam == sweep.base == sweep.at({})
    assert decay.optimizer == AdamW(learning_rate=0.02, beta1=0.8, weight_decay=0.5)
    assert decay.model == sgd.model == Mlp(width=12)
    assert sgd.optimizer == Sgd(learning_rate=0.02, momentum=0.5)
    assert encoder.model == Transformer(heads=2, embedding=8, feed_forward=8)
    assert encoder.optimizer == adam.optimizer


def test_the_base_may_speak_of_the_variants_kinds(write: Write) -> None:
    """As the base of a `kind` axis may: keys that no kind of the sweep has stay refused."""
    text = BASE.replace("width: 12", "width: 12, heads: 2, feed_forward: 6")
    sweep = load(write(text + "  mlp: {}\n  encoder: {model.kind: transformer}\n"))
    assert sweep.at({}, sweep.variants[0]).model == Mlp(width=12)
    assert sweep.at({}, sweep.variants[1]).model == Transformer(heads=2, feed_forward=6)
    line = refused(write(text + "  mlp: {}\n  wide: {model.width: 24}\n"))
    assert line.startswith("s.yaml:3:27: model.heads: found a key that model.kind mlp does not")


def test_null_unsets(write: Write) -> None:
    """Steps and epochs exclude each other: of default steps nothing need be said, of given ones
    null."""
    text = BASE.replace("steps: 40, ", "steps: 40, ") + "  a: {}\n  b: {train.epochs: 20}\n"
    assert "found both steps 40 and epochs 20" in refused(write(text))
    sweep = load(write(text.replace("epochs: 20", "epochs: 20, train.steps: null")))
    assert sweep.at({}, sweep.variants[1]).train.steps is None
    sweep = load(write(text.replace("steps: 40, ", "")))
    assert sweep.at({}, sweep.variants[1]).train.epochs == 20
    assert load(write(dump(sweep))) == sweep


def test_set_changes_what_variants_share(write: Write) -> None:
    """A variant's own value wins over --set, as over the file; another base kind says nothing of
    the old one's keys; a swept path goes on beside the variants."""
    path = write(BASE + FOUR)
    sweep = load(path, ["optimizer.weight_decay=3", "optimizer.beta2=0.9"])
    decays = [sweep.at({}, v).optimizer.weight_decay for v in sweep.variants]
    assert decays == [3, 0.5, 3, 3]
    sweep = load(path, ["optimizer.kind=adam", "axes.data.data_fraction=[0.3]"])
    kinds = [sweep.at({}, v).optimizer.kind for v in sweep.variants]
    assert kinds == ["adam", "adam", "sgd", "adam"]
    assert sweep.at({}, sweep.variants[1]).optimizer.weight_decay == 0.5


def test_reduced_replaces_adds_and_drops_whole_variants(write: Write) -> None:
    """By name, each in its place; what reduced says of the base is said for all of them. Without
    the flag nothing of it holds."""
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
    """With every default of a chosen kind written out, so that no default of the base's takes its
    place; identity and runs are the same too."""
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
    "what is no experiment's": (
        "variants:\n  a: {seeds: [1]}",
        "7:7: variants.a.seeds",
        ["unknown key", "task.kind"],
    ),
    "what is measured": (
        "variants:\n  a: {measure.rows: 1}",
        "7:7: variants.a.measure.rows",
        ["unknown key"],
    ),
    "a nested block": ("variants: {a: {model: {width: 8}}}", "6:16: variants.a.model", ["unknown"]),
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
        ["model.kind mlp does not have; allowed: kind"],
    ),
    "a key that a swept kind has not": (
        "variants:\n  a: {model.width: 8}\naxes: {model.kind: [mlp, transformer]}",
        "7:20: variants.a.model.width",
        ["model.kind transformer does not have"],
    ),
    "an axis that one has not": (
        "variants:\n  a: {}\n  b: {model.kind: transformer}\naxes: {model.depth: [2, 3]}",
        "9:8: model.depth",
        ["model.kind transformer does not have"],
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
        "axes: {model.dropout: {start: 0, stop: 0.5, num: 6000000}}",
        "9:23: axes.model.dropout",
        ["found 12000000 runs", "at most 10000000"],
    ),
    "reduced: an unknown one": (
        "variants: {a: {}}\nreduced: {variants: {b: null}}",
        "7:25: reduced.variants.b",
        ["found null for a variant that there is not; allowed: a"],
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
    """With the place of what is wrong, asked for or not; nothing else is wrong in these files."""
    text, start, words = BAD[case]
    line = refused(write(BASE.removesuffix("variants:\n") + text))
    assert line.startswith(f"s.yaml:{start}"), line
    assert all(word in line for word in [*words, "allowed"]), line


def test_variants_times_seeds_are_counted(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is no axis to count them up to."""
    monkeypatch.setattr(sweepfile, "MAX_RUNS", 7)
    line = refused(write(BASE + FOUR + "seeds: [0, 1]\n"))
    assert line == "s.yaml:7:3: variants: found 8 runs; allowed: at most 7"


def test_a_default_of_the_base_that_a_kind_cannot_have(write: Write) -> None:
    """What the base says of a key that both kinds have goes over; where the new one does not take
    it, the variant is named, since the base is sound."""
    text = BASE.replace("width: 12", "normalization: batch")
    line = refused(write(text + "  a: {}\n  b: {model.kind: transformer}\n"))
    assert (
        line
        == "s.yaml:8:3: variants.b.model.normalization: found batch; allowed: none, batch or layer"
    )


@pytest.mark.parametrize("key", ["variants", "variants.decay", "variants.decay.model.width"])
def test_set_does_not_reach_into_variants(key: str, write: Write) -> None:
    """It says so in one line, whether the variant exists or not."""
    line = refused(write(BASE + FOUR), f"{key}=1")
    assert line.startswith(f"--set {key}=1: {key}: found a change of variants; allowed: ")
    conflict = refused(write(BASE + FOUR), "axes.optimizer.weight_decay=[0, 1]")
    assert conflict.startswith("s.yaml:8:35: variants.decay.optimizer.weight_decay: found a path")
    assert "(--set axes.optimizer.weight_decay=[0, 1])" in conflict


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("train.batch_size: 30", "batch_size: found 30, more than the 24 rows"),
        ("data.data_fraction: 0.001", "the smallest fraction leaves a training set of no rows"),
        ("task.source: nowhere, task.kind: images", "task.source: nowhere"),
        ("event.value: 0.9, event.kind: memorized, event.set: data.data_fraction", "found 0.9"),
    ],
)
def test_planning_names_the_variants_place(setting: str, words: str, write: Write) -> None:
    """What only the runs' sizes or their data show is refused where the variant says it."""
    sweep = load(write(f"{BASE}  a: {{}}\n  b: {{{setting}}}\n"))
    with pytest.raises(Refusal, match=words) as caught:
        plan(sweep, MACHINE)
    assert str(caught.value).startswith(f"s.yaml:8:{9 + setting.index(':')}:"), caught.value


# Planning and identity ---------------------------------------------------------------------------


def test_runs_are_variants_times_axes_times_seeds(write: Write) -> None:
    """Every combination once, the variant outermost. All traced numbers have a column, filled per
    run, and static fields in which variants differ; null is what a kind has not."""
    table = expand(load(write(BASE + FOUR + AXES)))
    runs, experiments, static = table.frame, table.experiments, table.static
    assert len(runs) == 4 * 2 * 2 * 2 and list(runs.columns[:4]) == [
        "run",
        "variant",
        "data_fraction",
        "init_scale",
    ]
    assert runs["variant"].unique().tolist() == ["adam", "decay", "sgd", "encoder"]
    assert not runs.duplicated(["variant", "data_fraction", "init_scale", "seed"]).any()
    assert runs["run"].is_unique
    one = runs.groupby("variant", sort=False).first()
    assert one["weight_decay"].tolist() == [0, 0.5, 0, 0]
    assert one["momentum"].isna().tolist() == [True, True, False, True]
    assert one["beta1"].isna().tolist() == [False, False, True, False]
    assert one["model"].tolist() == ["mlp", "mlp", "mlp", "transformer"]
    assert one["optimizer"].tolist() == ["adamw", "adamw", "sgd", "adamw"]
    assert one["width"].tolist()[:3] == [12] * 3 and np.isnan(one["width"].iloc[3])
    assert one["heads"].isna().tolist() == [True, True, True, False]
    assert one["bias"].isna().tolist() == [False, False, False, True]
    assert one["bias"].dtype == "boolean" and one["bias"].tolist()[:3] == [False] * 3
    assert "steps" not in runs and "loss" not in runs, "in which they do not differ"
    # adam and decay are one program: they differ in a traced number alone.
    assert len(experiments) == 3
    assert static[runs["variant"].isin(["adam", "decay"])].tolist() == [0] * 16


def test_variants_that_differ_in_traced_values_share_programs(write: Write) -> None:
    """As the runs of an axis do, and with its very runs: same ids, same cells."""
    both = load(write(BASE + "  a: {}\n  b: {optimizer.weight_decay: 2}\n" + AXES))
    swept = load(
        write(BASE.removesuffix("variants:\n") + AXES), ["axes.optimizer.weight_decay=[0, 2]"]
    )
    grids = [plan(sweep, MACHINE) for sweep in (both, swept)]
    programs = [{job.program for job in grid.jobs} for grid in grids]
    assert programs[0] == programs[1]
    assert grids[0].axes == ["variant", "data_fraction", "init_scale"]
    assert sorted(grids[0].runs["run"]) == sorted(grids[1].runs["run"])
    job = grids[0].jobs[0]
    decay = grids[0].run_params(job.runs).values["optimizer.weight_decay"]
    assert set(decay) == {0, 2}


def test_a_run_is_called_the_same_without_variants(write: Write) -> None:
    """An id means the training: neither the variant's name nor that there are any is in it."""
    runs = expand(load(write(BASE + FOUR))).frame
    plain = BASE.removesuffix("variants:\n")
    for name, sets in {
        "adam": [],
        "decay": ["optimizer.weight_decay=0.5"],
        "sgd": ["optimizer.kind=sgd", "optimizer.momentum=0.5"],
        "encoder": [
            "model.kind=transformer",
            "model.heads=2",
            "model.embedding=8",
            "model.feed_forward=8",
        ],
    }.items():
        alone = expand(load(write(plain), sets)).frame["run"].tolist()
        assert alone == runs.loc[runs["variant"] == name, "run"].tolist(), name


def test_identity_is_of_what_variants_are(write: Write) -> None:
    """It changes with a variant's name, value and the base it stands on, not with how it is
    said; without variants it has no trace of them."""

    def identified(text: str, *sets: str) -> str:
        return json.dumps(identity(load(write(text), sets).resolved()), sort_keys=True)

    one = identified(BASE + "  a: {}\n  b: {model.kind: transformer}\n")
    assert one == identified(
        BASE + "  a: {loss: mse}\n  b: {model.layers: 1, model.kind: transformer}\n"
    )
    others = [
        identified(BASE + "  a: {}\n  c: {model.kind: transformer}\n"),
        identified(BASE + "  a: {}\n  b: {model.kind: transformer, model.layers: 2}\n"),
        identified(BASE + "  a: {}\n  b: {model.kind: transformer, model.activation: quadratic}\n"),
        identified(BASE + "  a: {}\n  b: {model.kind: transformer}\n", "model.width=8"),
        identified(BASE + "  a: {}\n"),
        identified(BASE.removesuffix("variants:\n")),
    ]
    assert len({one, *others}) == 7
    # Said outright or not, the Transformer inherits what the base says of both kinds' keys.
    assert one != identified(
        BASE.replace("width: 12", "width: 12, activation: quadratic")
        + "  a: {}\n  b: {model.kind: transformer}\n"
    )
    assert "variants" not in identity(load(write(BASE.removesuffix("variants:\n"))).resolved())


# From end to end ---------------------------------------------------------------------------------

E2E = (
    BASE
    + """\
  plain: {}
  deep: {model.depth: 3, optimizer.kind: sgd}
  decay: {optimizer.weight_decay: 0.5}
seeds: [0, 1]
"""
)


class Silent:
    """A reporter that only counts the runs trained."""

    trained = 0

    def note(self, line: str) -> None: ...

    def skip(self, work: float, runs: int) -> None: ...

    def advanced(self, work: float, runs: int) -> None:
        self.trained += runs


def test_from_the_file_to_tables_and_figures(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three variants in two programs. Every table names the variant; all parts of a table have one
    schema; cells are per variant; the sweep run again, from its own sweep.yaml too, trains nothing;
    the same training as an axis has the same ids and bit-identical curves; figures are drawn."""
    sweep = load(write(E2E))
    out = Path("out")
    prepared = runner.prepare(sweep, out, fresh=False)
    assert "6 runs = 3 variants x 2 seeds\n2 programs" in plan_text(prepared)
    assert "plain, decay\n" in plan_text(prepared, 1.0)
    first, again = Silent(), Silent()
    runner.run(prepared, first)
    assert first.trained == 6
    folder = Folder(out)
    manifest = folder.require_manifest()
    assert manifest["axes"] == ["variant"]
    assert manifest["sweep"]["variants"]["decay"] == {"optimizer.weight_decay": 0.5}
    runs, cells = folder.read("runs"), folder.cells()
    assert (runs["status"] == "ok").all()
    one = runs.groupby("variant").first()
    assert one["weight_decay"].to_dict() == {"plain": 0, "decay": 0.5, "deep": 0}
    assert one["depth"].to_dict() == {"plain": 2, "decay": 2, "deep": 3}
    for column, there in {
        "beta1": [True, False, True],
        "norm_hidden": [False, True, False],
    }.items():
        assert one[column].notna().tolist() == there, column
    assert sorted(cells["variant"]) == ["decay", "deep", "plain"]
    assert (cells["seeds"] == 2).all()
    for name in ("runs", "curves"):
        parts = [pq.read_schema(part) for part in sorted((out / name).iterdir())]
        assert len(parts) == 2 and parts[0].equals(parts[1]), name
        assert parts[0].names[:2] == ["run", "variant"], name

    resumed = runner.prepare(load(write(dump(sweep))), out, fresh=False, note=pytest.fail)
    runner.run(resumed, again)
    assert resumed.resumes and again.trained == 0
    with pytest.raises(Refusal, match=r"variants\.decay\.optimizer\.weight_decay: 0\.5 -> 0\.7"):
        runner.prepare(load(write(E2E.replace("0.5", "0.7"))), out, fresh=False)

    write(BASE.removesuffix("variants:\n") + "seeds: [0, 1]\n")
    swept = load(Path("s.yaml"), ["axes.optimizer.weight_decay=[0, 0.5]"])
    runner.run(runner.prepare(swept, Path("axis"), fresh=False), Silent())
    keys = ["run", "step", "train_loss", "test_accuracy", "weight_norm"]
    mine = folder.read("curves").query("variant != 'deep'")[keys]
    same = Folder(Path("axis")).read("curves")[keys]
    pd.testing.assert_frame_equal(mine.reset_index(drop=True), same, check_exact=True)

    # Rendering takes seconds.
    monkeypatch.setattr(canvas, "save", lambda figure, folder, name: [folder / f"{name}.png"])
    drawn = {path.stem for path in draw(out)}
    assert drawn == {"phase_diagram", "accuracy", "curves", "norms", "losses"}
    lines = diagram(folder, cells).splitlines()
    assert [line.split()[0] for line in lines[:3]] == ["plain", "deep", "decay"]
    assert "up: variant" in lines[-2]
