"""Results go on with the code that computed them: of plugins, and of the package itself."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from phasegrok import plugins, running
from phasegrok.config import Experiment, Measure
from phasegrok.errors import Refusal
from phasegrok.models.frozen import saved
from phasegrok.plan.runs import expand
from phasegrok.plugins import Plugin
from phasegrok.running import manifest
from tests.conftest import MakeSweep
from tests.running.watching import Watch, rewrite_manifest, start

AXES = "axes: {optimizer.weight_decay: [0, 1]}\nmeasure: {weights: final}\n"
MLP = ("model", "mlp")


def begun(out: Path) -> dict[str, str]:
    found: dict[str, str] = json.loads((out / "manifest.json").read_text())["plugins"]
    return found


def test_other_code_is_another_run(
    make_sweep: MakeSweep, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The default network taken for a plugin's: its runs have other ids with other code; a folder
    goes on with the same code alone; so do --reuse, and whoever reads a saved network."""
    out, sweep = tmp_path / "out", make_sweep(AXES)
    plain = expand(sweep).frame["run"].tolist()
    monkeypatch.setitem(plugins._added, MLP, Plugin("mylab", "1" * 16))
    ours = expand(sweep).frame["run"].tolist()
    assert not set(plain) & set(ours)
    assert plugins.used([Experiment()], Measure()) == {"mylab": "1" * 16}
    start(sweep, out)
    assert begun(out) == {"mylab": "1" * 16}
    assert start(sweep, out).trained == 0
    network = next(out.glob("weights/*/40.npz"))
    assert saved.record(str(network)).plugins == {"mylab": "1" * 16}

    monkeypatch.setitem(plugins._added, MLP, Plugin("mylab", "2" * 16))
    words = r"the code of plugin mylab is another one .*\(hash 1{16}, now 2{16}\)"
    with pytest.raises(Refusal, match=words):
        start(sweep, out)
    with pytest.raises(Refusal, match=rf"--extend: {words}"):
        start(make_sweep(AXES.replace("[0, 1]", "[0, 1, 2]")), out, extend=True)
    with pytest.raises(Refusal, match=rf"--reuse .*{words}"):
        start(sweep, tmp_path / "new", reuse=[out])
    saved.record.cache_clear()
    with pytest.raises(Refusal, match=r"mylab is another one than that of this network"):
        saved.record(str(network))
    monkeypatch.delitem(plugins._added, MLP)
    with pytest.raises(Refusal, match=r"plugin mylab, which is not loaded; .*--plugin mylab"):
        start(sweep, out)
    assert not (tmp_path / "new").exists()


def test_measurements_of_a_plugin_count_where_they_are_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """They are in no run's id: a run is the same, whatever is looked at."""
    monkeypatch.setitem(plugins._added, ("measure", "spectra"), Plugin("mylab", "1" * 16))
    assert plugins.used([Experiment()], Measure()) == {}
    assert plugins.used([Experiment()], Measure(spectra=True)) == {"mylab": "1" * 16}
    assert plugins.codes(Experiment()) == []


def test_a_version_that_computes_otherwise_trains_no_more_of_a_folder(
    make_sweep: MakeSweep, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line that says what changed: refused while runs are missing, noted when all are done."""
    done, half = tmp_path / "done", tmp_path / "half"
    start(make_sweep(AXES), done)
    start(make_sweep(AXES, "engine.chunk=1", "engine.mapping=vmap"), half, calls=1)
    monkeypatch.setattr(manifest, "NUMERICS", 2)
    monkeypatch.setattr(manifest, "NUMERICS_CHANGES", {1: "as at first", 2: "dropout is mended"})
    notes: list[str] = []
    running.run(running.prepare(make_sweep(AXES), done, False, notes.append), Watch())
    words = "(numerics 1, now 2: dropout is mended)"
    assert len(notes) == 1 and words in notes[0] and "stay as they are" in notes[0]
    sweep = make_sweep(AXES, "engine.chunk=1", "engine.mapping=vmap")
    with pytest.raises(Refusal) as refusal:
        running.prepare(sweep, half, False, notes.append)
    assert words in str(refusal.value) and "that version, --fresh" in str(refusal.value)
    with pytest.raises(Refusal, match="numerics 1, now 2"):
        start(make_sweep(AXES), tmp_path / "new", reuse=[done])
    start(make_sweep(AXES), tmp_path / "new")
    assert json.loads((tmp_path / "new" / "manifest.json").read_text())["numerics"] == 2


def test_folders_from_before_the_number_are_of_the_first(
    make_sweep: MakeSweep, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    start(make_sweep(AXES), out)
    values = json.loads((out / "manifest.json").read_text())
    del values["numerics"]
    rewrite_manifest(out, values)
    assert start(make_sweep(AXES), out).trained == 0


def test_the_hash_is_of_all_code_that_is_imported_from_beside(tmp_path: Path) -> None:
    """Of what the module imports, directly or not, at the top or inside a function; and of nothing
    else that lies there."""
    lab = tmp_path / "lab"
    (lab / "deep").mkdir(parents=True)
    files = {
        "__init__.py": "",
        "task.py": "from . import shared\nimport numpy\n",
        "shared.py": "def f():\n    from lab.deep.inner import g\n",
        "deep/__init__.py": "",
        "deep/inner.py": "from ..last import *\n",
        "last.py": "x = 1\n",
        "other.py": "y = 1\n",
        "numpy.py": "not the library\n",
    }
    for name, text in files.items():
        (lab / name).write_text(text)
    found = plugins._sources(lab / "task.py", tmp_path)
    assert {str(path.relative_to(lab)) for path in found} == {*files} - {"other.py", "numpy.py"}
