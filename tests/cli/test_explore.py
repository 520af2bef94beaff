"""``phasegrok explore``: what is said, and when a browser is opened."""

from __future__ import annotations

import shutil
import webbrowser
from pathlib import Path
from typing import Final

import pytest
from typer.testing import CliRunner

from phasegrok.cli.explore import DISPLAYS, REMOTE, show
from phasegrok.cli.main import app

REFERENCE: Final = Path(__file__).parents[2] / "results" / "reference"


def test_it_says_where_the_page_is_and_what_it_lacks(tmp_path: Path) -> None:
    shutil.copytree(REFERENCE / "multiplication", tmp_path / "out")
    ended = CliRunner().invoke(app, ["explore", str(tmp_path / "out"), "--no-open"])
    assert ended.exit_code == 0
    first, note = ended.output.splitlines()
    size = (tmp_path / "out" / "explore.html").stat().st_size
    assert first == f"wrote {tmp_path / 'out' / 'explore.html'}: {size / 1e6:.1f} MB, 64 cells"
    assert note.startswith("note: These results hold no curves")
    status = CliRunner().invoke(app, ["status", str(tmp_path / "out")])
    assert status.exit_code == 0


@pytest.mark.parametrize(
    ("folders", "line"),
    [
        (["none"], "no results here"),
        ([str(REFERENCE / "wd"), "none"], "no results here"),
        ([str(REFERENCE / "wd"), str(REFERENCE / "phases")], "two sweeps over the same axes"),
        ([str(REFERENCE / "wd"), "--output", "."], "found a folder"),
    ],
)
def test_what_cannot_be_shown_is_refused(
    folders: list[str], line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ended = CliRunner().invoke(app, ["explore", *folders])
    assert ended.exit_code == 2 and ended.output.startswith("error: ")
    assert line in ended.output and ended.output.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
    assert not (REFERENCE / "wd" / "explore.html").exists()


class Browser(webbrowser.BaseBrowser):
    """One that opens nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []

    def open(self, url: str, new: int = 0, autoraise: bool = True) -> bool:
        self.asked.append(url)
        return True


@pytest.fixture
def browser(monkeypatch: pytest.MonkeyPatch) -> Browser:
    """A desktop with a browser."""
    for name in (*DISPLAYS, *REMOTE):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("sys.platform", "linux")
    found = Browser()
    monkeypatch.setattr(webbrowser, "get", lambda: found)
    monkeypatch.setenv("DISPLAY", ":0")
    return found


def test_it_opens_a_browser_on_a_desktop(browser: Browser, tmp_path: Path) -> None:
    assert show(tmp_path / "a b.html") is None
    assert browser.asked == [(tmp_path / "a b.html").as_uri()]


@pytest.mark.parametrize("name", REMOTE)
def test_it_opens_nothing_on_another_machine(
    browser: Browser, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, "1")
    assert show(Path("page.html")) == "open it in any browser"
    assert browser.asked == []


def test_it_opens_nothing_without_windows(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DISPLAY")
    assert show(Path("page.html")) == "open it in any browser"
    assert browser.asked == []


def test_a_browser_in_the_terminal_is_not_asked(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would take the terminal, and show none of it."""
    monkeypatch.setattr(webbrowser, "get", lambda: webbrowser.GenericBrowser("lynx"))
    assert show(Path("page.html")) == "open it in any browser"

    def none() -> Browser:
        raise webbrowser.Error("could not locate runnable browser")

    monkeypatch.setattr(webbrowser, "get", none)
    assert show(Path("page.html")) == "open it in any browser"
