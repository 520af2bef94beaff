"""Some of the inputs that ``make fuzz`` tries at length: accepted or refused, never anything else.

Inputs are made once for all readers in :mod:`tests.fuzzing`.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from phasegrok.errors import Refusal
from tests import fuzzing
from tests.fuzzing import SOURCES, Kind, fuzz

# How many, by kind; together some seconds. Parts and folders cost more each.
INPUTS = {"sweep bytes": 150, "sweep tree": 150, "--set": 300, "weights": 600, "IDX": 600}
OTHERS = 250


@pytest.fixture(scope="module")
def kinds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Kind]:
    return dict(fuzzing.every_kind(tmp_path_factory.mktemp("sound")))


@pytest.mark.parametrize("name", SOURCES)
def test_any_input_is_accepted_or_refused(
    kinds: dict[str, Kind], name: str, tmp_path: Path
) -> None:
    """One printable line at most, nothing written, and quickly. Both ends are met, or nothing was
    tried: input that no reader takes, or that all take, shows nothing."""
    outcome = fuzz(kinds[name], INPUTS.get(name, OTHERS), 0, tmp_path)
    assert not outcome.failures, "\n".join(outcome.failures[:5])
    assert outcome.refused > 10
    assert outcome.accepted + outcome.refused == outcome.inputs


def test_the_fuzzer_finds_what_it_looks_for(tmp_path: Path) -> None:
    """A traceback, a line that does not print and a file that is written are failures."""

    def reads(_: object) -> None:
        action = next(actions)
        if action == "writes":
            (tmp_path / "new").write_text("x")
        if action == "fails":
            raise KeyError("x")
        if action == "prints":
            error = Refusal("x")
            error.args = ("\x1b",)
            raise error

    actions: Iterator[str] = iter(["sound", "writes", "fails", "prints"])
    found = fuzz(Kind(lambda draw, _: draw.random(), reads), 4, 0, tmp_path).failures
    assert [line.partition(":")[0] for line in found] == ["0-1", "0-2", "0-3"]
    assert random.Random("0-1").random() == random.Random("0-1").random()
