"""What the pages show works as it stands: Python, YAML, commands, links, numbers."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from phasegrok.cli.main import app
from phasegrok.docs.commands import commands as known_commands
from phasegrok.docs.gallery import anchor
from phasegrok.sweep.load import Sweep, load
from phasegrok.sweep.shipped import find
from tests.docs.blocks import PAGES, ROOT, blocks, commands, inline_commands

# Pages whose Python stands alone, in the order in which a reader comes to them. extending.md has a
# test of its own, and so has the notebook. cluster.md needs a cluster.
ALONE = ("README.md", "start.md", "seeds.md", "results.md", "inside.md", "tables.md")
ELSEWHERE = ("extending.md", "notebook.md", "cluster.md")
READING = ("list", "new", "status", "boundaries", "figures", "timeline", "compare")
TOOLS = ("chmod", "dask", "openssl", "sbatch")
SHELL = ("source .venv/bin/activate", ".venv/bin/pip install -U jax[cuda12]")
LINK = re.compile(r"\]\(([^)\s#:]*)(?:#([^)\s]*))?\)")


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder like a clone after `make quickstart`, in which commands may write."""
    place = tmp_path_factory.mktemp("clone")
    for name in ("sweeps", "docs"):
        (place / name).symlink_to(ROOT / name)
    (place / "results").mkdir()
    (place / "results" / "reference").symlink_to(ROOT / "results" / "reference")
    shutil.copytree(ROOT / "results" / "reference" / "quickstart", place / "results" / "quickstart")
    return place


def test_every_page_with_python_is_run() -> None:
    """By this file, or by one that is named above; all of it is Python."""
    pages = {page.name for page in PAGES if blocks(page, "python")}
    assert pages - {*ELSEWHERE} == {*ALONE}
    for page in PAGES:
        for block in blocks(page, "python"):
            compile(block, page.name, "exec")


def test_python_runs_as_written(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One block after the other, as somebody pastes them, each page from the beginning; what the
    text says of the outcome is so."""
    monkeypatch.chdir(clone)
    after: dict[str, dict[str, Any]] = {}
    for name in ALONE:
        page = next(each for each in PAGES if each.name == name)
        names = after[name] = {}
        for block in blocks(page, "python"):
            exec(compile(block, name, "exec"), names)
    assert after["README.md"]["one"].weight_decay.nunique() == 1
    assert len(after["results.md"]["diagram"]) == 19
    inside = after["inside.md"]
    assert len(inside["inside"].cells) == 6 and inside["u"].shape == (23, 64)
    right = inside["outputs"].argmax(axis=1) == inside["examples"]["label"]
    assert right.mean() == 1, "the network of the example has generalized"
    assert after["tables.md"]["column"].metadata[b"source"] == b"Doshi et al., equations 3 and 4"
    assert (clone / "accuracy.png").exists()


def yaml_blocks() -> Iterator[Any]:
    for page in (page for page in PAGES if page.name not in ELSEWHERE):
        for number, block in enumerate(blocks(page, "yaml")):
            yield pytest.param(block, id=f"{page.stem}-{number}")


@pytest.mark.parametrize("block", list(yaml_blocks()))
def test_yaml_is_a_sweep_file_or_a_part_of_one(block: str, tmp_path: Path) -> None:
    """As written, and reduced where it says how."""
    file = tmp_path / "shown.yaml"
    named = re.search(r"^name:", block, re.M)
    file.write_text(block if named else f"name: shown\n{block}")
    assert load(file).name
    if re.search(r"^reduced:", block, re.M):
        assert load(file, reduced=True) != load(file)


def test_every_kind_of_example_is_there() -> None:
    """Events, parity, images and reduced grids have one each that is whole."""
    shown = "".join(blocks(ROOT / "docs" / "own-sweep.md", "yaml"))
    for key in ("event: {kind: memorized", "kind: at_step", "kind: parity", "kind: images"):
        assert key in shown
    assert "\nreduced:" in shown and "\nvariants:" in f"\n{shown}"


def sweep_of(words: list[str]) -> Sweep:
    """The sweep that a command would train; its options are those of the command."""
    command = known_commands()["sweep"]
    given = command.make_context("sweep", words).params
    changes = [*given["set_"], *([f"refine.levels={given['refine']}"] if given["refine"] else [])]
    return load(find(given["file"]), changes, given["reduced"])


def arguments(words: list[str]) -> list[str] | None:
    """What follows `phasegrok` in any of the ways to call it; None for another command."""
    if words[:3] == ["python", "-m", "phasegrok.sweep"]:
        return ["sweep", *words[3:]]
    return words[1:] if words[0] == "phasegrok" else None


def test_commands_are_ones_that_can_be_typed(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In order, page by page. Those that read are run. Those that train, or train again, are read
    by the command itself, and their sweep file is loaded with their changes."""
    monkeypatch.chdir(clone)
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.M)
    ran = 0
    for page in PAGES:
        for words in commands(page):
            said = f"{page.name}: {' '.join(words)}"
            args = arguments(words)
            if words[0] == "make":
                assert words[1] in targets, said
            elif args is None:
                assert words[0] in TOOLS or " ".join(words) in SHELL, said
            elif args[0] == "sweep":
                assert sweep_of(args[1:]).name, said
            elif args[0] not in READING or "--retrain" in args:
                known_commands()[args[0]].make_context(args[0], args[1:])
            else:
                done = CliRunner().invoke(app, args)
                assert done.exit_code == 0, f"{said}: {done.output}"
                ran += 1
    assert ran >= 9


def test_commands_in_the_text_are_ones_too(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also those of the papers' tables: their files load with the changes that they make."""
    monkeypatch.chdir(clone)
    found = 0
    for page in PAGES:
        for words in inline_commands(page):
            args = arguments(words)
            assert args
            if args in [[name] for name in known_commands()]:  # a word of the text
                continue
            if args[0] == "sweep":
                assert sweep_of(args[1:]).name
            elif args[0] in known_commands():
                known_commands()[args[0]].make_context(args[0], args[1:])
            else:
                assert args == ["--version"], f"{page.name}: {words}"
            found += 1
    assert found > 60


def test_a_wrong_command_would_be_seen() -> None:
    with pytest.raises(Exception, match="No such option"):
        sweep_of(["wd", "--reduce"])
    with pytest.raises(Exception, match="no sweep of this name"):
        sweep_of(["wdd"])
    assert typer.main.get_command(app)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_links_and_pictures_are_there(page: Path) -> None:
    """Every file that a page names, and every heading."""
    for target, heading in LINK.findall(page.read_text()):
        file = page.parent / target if target else page
        assert file.exists(), target
        if heading:
            titles = re.findall(r"^#+ (.*)$", file.read_text(), re.M)
            assert heading in {anchor(title) for title in titles}, f"{target}#{heading}"


def test_numbers_of_the_readme_are_those_that_were_measured() -> None:
    """How many claims hold, and what a step takes."""
    text = " ".join((ROOT / "README.md").read_text().split())
    counts = re.search(r"^\| all \|(.*)\|$", (ROOT / "docs" / "reproduction.md").read_text(), re.M)
    assert counts
    claims, yes, part, no, not_run = map(int, counts[1].split("|"))
    assert f"{yes} of the {claims - not_run} tested hold, {part} in part, {no} do not" in text
    result = (ROOT / "benchmarks" / "RESULT.md").read_text()
    row = re.search(
        r"^\| 0\.5 \| 0\.0 \| \d+ \| ([\d.]+).*\| ([\d.]+) .*\| ([\d.]+) \|$", result, re.M
    )
    dropout = re.search(r"^\| 0\.5 \| 0\.3 \|.*\| ([\d.]+) \|$", result, re.M)
    assert row and dropout
    assert f"{row[1]} ms a network" in text and f"one network at a time: {row[2]} ms" in text
    assert f"**{row[3]} times**" in text and f"under dropout {dropout[1]} times" in text
