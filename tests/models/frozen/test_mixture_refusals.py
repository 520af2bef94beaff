"""What a mixture refuses: files that are no use to it, and what it cannot be asked."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from phasegrok import running as runner
from phasegrok.errors import Refusal
from phasegrok.plan.plan import plan
from phasegrok.sweep.load import load
from phasegrok.train.memory import machine

# Batch normalization: what is frozen has running statistics too.
from tests.models.frozen.conftest import (
    Trained,
)


def damaged(file: str, change: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    def do(weights: Path) -> None:
        (weights / file).write_bytes(change((weights / file).read_bytes()))

    return do


def last_byte_of_the_first(content: bytes) -> bytes:
    """Another last byte in the first array, before the second begins."""
    at = content.index(b"PK\3\4", 4) - 1
    return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]


def says(path: str, value: Any) -> Callable[[Path], None]:
    """Another value in run.json; None takes the key out."""

    def do(weights: Path) -> None:
        text = json.loads((weights / "run.json").read_text())
        del text["seal"]  # as one must who changes it by hand
        *blocks, leaf = path.split(".")
        inner = text
        for block in blocks:
            inner = inner[block]
        inner[leaf] = value
        if value is None:
            del inner[leaf]
        (weights / "run.json").write_text(json.dumps(text))

    return do


def arrays(**changes: Any) -> Callable[[Path], None]:
    """Other arrays in 10.npz; None takes one out."""

    def do(weights: Path) -> None:
        found = {**np.load(weights / "10.npz"), **changes}
        np.savez(weights / "10.npz", **{k: v for k, v in found.items() if v is not None})

    return do


def gone(file: str) -> Callable[[Path], None]:
    return lambda weights: (weights / file).unlink()


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (gone("10.npz"), "10.npz: No such file or directory; allowed: weights/RUN/STEP.npz, with"),
        (gone("run.json"), "run.json: No such file or directory; allowed: weights/RUN/STEP.npz"),
        (damaged("10.npz", lambda b: b"PK"), "10.npz: damaged: found no .npz archive"),
        (damaged("10.npz", last_byte_of_the_first), "its checksum does not hold"),
        (damaged("run.json", lambda b: b[:-9]), "run.json: damaged: its text: Invalid JSON"),
        (says("seed", None), "run.json: damaged: seed: Field required"),
        (says("experiment.model.width", "12"), "damaged: experiment.model.mlp.width: Input"),
        (
            says("experiment.model.width", 13),
            "10.npz: found normalizations.0.scale float32 (12);"
            " allowed: normalizations.0.scale float32 (13), as the architecture in run.json has",
        ),
        (arrays(w=None), "found no array w; allowed: w float32 (12, 7)"),
        (arrays(b=np.ones(3)), "found b float64 (3); allowed: no array b"),
        (arrays(w=np.ones((12, 7))), "found w float64 (12, 7); allowed: w float32 (12, 7)"),
        (arrays(w=np.full((12, 7), np.nan, "f4")), "found numbers in w that are not finite"),
        (
            says("experiment.task.modulus", 11),
            "found a network trained on {kind: modular,"
            " operation: addition, modulus: 11}; allowed: {kind: modular, operation: addition,"
            " modulus: 7}, this sweep's task",
        ),
        (says("data", ["ab"]), "modulus: 7} on other data; allowed:"),
        (
            says("experiment.model", {"kind": "mixture", "memorizing": "a", "generalizing": "b"}),
            "found a mixture; allowed: a network that is none itself",
        ),
        (
            says("experiment.event", {"kind": "memorized", "set": "data.data_fraction"}),
            "found a run with event.set data.data_fraction; allowed: one training set from",
        ),
        (
            says("seed", 4),
            "found a network trained with seed 4 for a run with seed 0; allowed:",
        ),
        (
            says("n_train", 28),
            "found a network trained with n_train 28 for a run with n_train 29",
        ),
        (
            says("n_corrupted", 0),
            "with n_corrupted 0 for a run with n_corrupted 5; allowed: the"
            " seed, data fraction and corruption of the run that trained it",
        ),
    ],
)
def test_unusable_networks_are_refused(
    copied: Trained, spoil: Callable[[Path], None], words: str
) -> None:
    """The file loads, since weights may come into being later; planning says in one line which key
    names which file, and what is wrong with it."""
    spoil(copied.weights)
    checked = load(copied.file)
    with pytest.raises(Refusal) as refused:
        runner.prepare(checked, copied.out, fresh=False)
    message = str(refused.value)
    start = f"{copied.file}:4:36: model.memorizing: "
    assert message.startswith(start) and words in message and "\n" not in message
    assert not copied.out.exists()


def test_every_seed_and_both_files_are_looked_at(copied: Trained, tmp_path: Path) -> None:
    """A seed of several that is not the network's, and a second file that is not there."""
    for change, words in (
        (
            "seeds=[0, 1]",
            "--set?model.memorizing: found a network trained with seed 0 for a run with",
        ),
        (
            f"model.generalizing={tmp_path}/no.npz",
            f"model.generalizing: {tmp_path}/no.npz: No such",
        ),
    ):
        with pytest.raises(Refusal) as refused:
            plan(load(copied.file, [change]), machine())
        assert words.removeprefix("--set?") in str(refused.value)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("measure.spectra=true", "measure.spectra: found it with model.kind mixture; allowed:"),
        ("measure.readout=true", "measure.readout: found it with model.kind mixture"),
        ("measure.pruning=[random]", "measure.pruning: found it with model.kind mixture"),
        ("measure.spectral_norms=true", "measure.spectral_norms: found it with model.kind mixture"),
        ("model.memorizing=3", "model.memorizing: found 3; allowed: a path"),
        ("model.memorizing_scale=0", "model.memorizing_scale: found 0; allowed: a number above 0"),
        ("model.width=3", "model.width: not available for model.kind mixture"),
    ],
)
def test_what_a_mixture_cannot_be_asked(trained: Trained, change: str, words: str) -> None:
    with pytest.raises(Refusal) as refused:
        load(trained.file, [change])
    assert words in str(refused.value)


def test_both_networks_must_be_named(tmp_path: Path) -> None:
    file = tmp_path / "half.yaml"
    file.write_text("name: half\nmodel: {kind: mixture, memorizing: a.npz}\n")
    with pytest.raises(Refusal) as refused:
        load(file)
    words = "model.generalizing: missing; required: a path"
    assert str(refused.value) == f"{file}:2:15: {words}"
