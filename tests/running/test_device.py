"""On which devices a sweep starts and goes on."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from phasegrok import running
from phasegrok.config.engine import ANY_DEVICE
from phasegrok.errors import Refusal
from phasegrok.plan.layout import Machine
from phasegrok.plan.plan import checked_table
from phasegrok.running import Silent, audit
from phasegrok.running.device import check_fits, check_kernel
from phasegrok.train.memory import machine
from tests.conftest import MakeSweep
from tests.running.watching import rewrite_manifest, start

GPU = Machine("gpu", 1, 80 << 30, 60 << 30, 2e13, 20.0)


def test_a_platform_that_is_not_there_is_refused(make_sweep: MakeSweep, tmp_path: Path) -> None:
    """In one line with key, what was found and what may be done; nothing is written."""
    out = tmp_path / "out"
    with pytest.raises(Refusal) as refused:
        running.prepare(make_sweep("engine: {platform: gpu}\n"), out, False)
    assert "engine.platform: found gpu, and JAX shows cpu here; allowed: " in str(refused.value)
    assert not out.exists()
    running.prepare(make_sweep("engine: {platform: cpu}\n"), out, False)


def test_a_folder_of_a_gpu_goes_on_elsewhere_only_where_asked(
    make_sweep: MakeSweep, tmp_path: Path
) -> None:
    """Half a sweep that a GPU began: refused here, unless any device will do. A look is free."""
    out = tmp_path / "out"
    axes = "axes: {optimizer.weight_decay: [0, 1]}\nengine: {chunk: 1}\n"
    start(make_sweep(axes), out, calls=1)
    manifest = json.loads((out / "manifest.json").read_text())
    manifest["machine"]["platform"], manifest["device"] = "gpu", "NVIDIA H100"
    rewrite_manifest(out, manifest)
    with pytest.raises(Refusal, match=r"begun on NVIDIA H100 \(gpu\), and JAX shows cpu"):
        start(make_sweep(axes), out)
    assert audit.audit(out, retrain=0, seed=0).done
    notes: list[str] = []
    running.run(running.prepare(make_sweep(axes, ANY_DEVICE), out, False, notes.append), Silent())
    assert any("begun with gpu, goes on with cpu" in note for note in notes)
    # What is done may be asked for anywhere, with nothing to say.
    notes.clear()
    assert running.prepare(make_sweep(axes), out, False, notes.append).missing() == []
    assert notes == []
    with pytest.raises(Refusal, match="begun on NVIDIA H100"):
        more = axes.replace("[0, 1]", "[0, 1, 2]")
        running.prepare(make_sweep(more), out, False, extend=True)


def test_a_chunk_of_another_machine_has_to_fit(make_sweep: MakeSweep, tmp_path: Path) -> None:
    """What a GPU's memory held may be more than there is here."""
    prepared = running.prepare(make_sweep("", "engine.mapping=vmap"), tmp_path / "out", False)
    job = prepared.chunks[0].job
    check_fits(job, machine(), tmp_path)
    large = replace(job, layout=replace(job.layout, chunk=10**9))
    with pytest.raises(Refusal, match=r"a chunk of 1000000000 runs.*--reuse"):
        check_fits(large, machine(), tmp_path)


@pytest.mark.parametrize(
    ("sets", "words"),
    [
        (("model.depth=3",), "found model.depth 3; allowed: model.depth 2"),
        (("model.embedding=4",), "found model.embedding 4; allowed: model.embedding null"),
        (("loss=brier",), "found loss brier; allowed: loss mse or cross_entropy"),
        (("task.kind=images",), "found task.kind images"),
        (("task.modulus=1009",), "found 1009 outputs; allowed: 2 to 512"),
    ],
)
def test_what_the_kernel_does_not_compute(
    make_sweep: MakeSweep, sets: tuple[str, ...], words: str
) -> None:
    """Refused with the key, before anything is compiled; the default network passes."""
    table = checked_table(make_sweep("", "engine.kernel=fused"))
    check_kernel(make_sweep("", "engine.kernel=fused"), table, GPU)
    sweep = make_sweep("", "engine.kernel=fused", *sets)
    with pytest.raises(Refusal) as refused:
        check_kernel(sweep, checked_table(sweep), GPU)
    assert words in str(refused.value) and "engine.kernel: found fused" in str(refused.value)


def test_the_kernel_needs_a_gpu(make_sweep: MakeSweep, tmp_path: Path) -> None:
    """Interpreted it would take days; a plain program is not put in its place either."""
    with pytest.raises(Refusal, match="found fused on cpu; allowed: plain"):
        running.prepare(make_sweep("", "engine.kernel=fused"), tmp_path / "out", False)
    assert not (tmp_path / "out").exists()
