"""The sweeps that come with the package: found by name, listed, begun from."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from phasegrok import __version__
from phasegrok.cli.main import app
from phasegrok.errors import Refusal
from phasegrok.sweep import shipped as module
from phasegrok.sweep.load import load
from phasegrok.sweep.shipped import find, shipped, template

ROOT = Path(__file__).parents[2]
EVERY = shipped()


def test_each_says_what_it_is() -> None:
    """From its header and from sizes.csv, which `list` shows."""
    assert {each.path for each in EVERY} == set((ROOT / "sweeps").glob("*.yaml"))
    for each in EVERY:
        assert len(each.header.what) > 30 and each.header.what[0].isupper(), each.name
    by_name = {each.name: each for each in EVERY}
    assert by_name["wd"].header.what.startswith("Figure 3a (and 24) of Doshi et al.")
    assert by_name["wd"].size.reduced_runs == 100 and by_name["grokking"].size.reduced_runs == 0


@pytest.mark.parametrize("each", EVERY, ids=lambda each: each.name)
def test_a_new_file_is_the_same_sweep(each: module.Shipped, tmp_path: Path) -> None:
    """Whichever it is begun from: only the name and the comments differ."""
    path = tmp_path / "mine.yaml"
    path.write_text(template("mine", each.name))
    old, new = load(each.path), load(path)
    assert replace(new, name=old.name, file=old.file) == old and new.name == "mine"
    assert path.read_text().startswith("# mine: begun from ")


def test_a_name_or_a_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that is there wins; a path is a path; a name that is near is offered."""
    monkeypatch.chdir(tmp_path)
    assert find("wd") == ROOT / "sweeps" / "wd.yaml"
    (tmp_path / "wd").write_text("name: other")
    assert find("wd") == Path("wd")
    assert find("sweeps/nothing.yaml") == Path("sweeps/nothing.yaml")
    with pytest.raises(Refusal, match=r"quickstat: no such file.*did you mean quickstart\?"):
        find("quickstat")
    with pytest.raises(Refusal, match="found no name of a sweep"):
        template("my sweep", "wd")


def test_an_installation_has_them_beside_its_scripts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Outside a checkout there is no folder beside the package."""
    monkeypatch.setattr(module, "HOMES", (tmp_path / "nowhere", ROOT / "sweeps"))
    assert len(shipped()) == len(EVERY)
    monkeypatch.setattr(module, "HOMES", (tmp_path / "nowhere",))
    with pytest.raises(Refusal, match="found no sweep files"):
        shipped()


def test_the_commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    def call(*args: str) -> tuple[int, str]:
        done = CliRunner().invoke(app, args, catch_exceptions=False)
        return done.exit_code, done.output

    assert call("--version") == (0, f"phasegrok {__version__}\n")
    code, text = call()
    assert code == 0 and "phasegrok sweep quickstart" in text
    assert call("new", "mine", "--from", "wd")[0] == 0
    before = (tmp_path / "mine.yaml").read_text()
    code, text = call("new", "mine")
    assert code == 2 and "is there already" in text
    assert (tmp_path / "mine.yaml").read_text() == before
    assert call("new", "other", "--from", "wdd")[0] == 2
    assert [path.name for path in tmp_path.iterdir()] == ["mine.yaml"]
