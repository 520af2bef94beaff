"""How many runs the shipped sweeps have, and how long they take: sizes.csv, and its words."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from phasegrok.docs.sizes import size
from phasegrok.sweep.headers import header
from phasegrok.sweep.load import load
from phasegrok.sweep.sizes import FILE, about, read_sizes, sizes_text

SWEEPS = Path(__file__).parents[2] / "sweeps"
SIZES = read_sizes(SWEEPS)
HINT = "run: python -m phasegrok.docs --sizes"


def test_every_sweep_has_its_numbers_of_runs() -> None:
    assert SIZES.keys() == {path.stem for path in SWEEPS.glob("*.yaml")}, HINT
    for name, found in SIZES.items():
        path = SWEEPS / f"{name}.yaml"
        assert found.runs == math.prod(load(path).factors), f"{name}; {HINT}"
        smaller = math.prod(load(path, reduced=True).factors) if header(path).reduced else 0
        assert found.reduced_runs == smaller, f"{name}; {HINT}"
        assert (found.reduced_seconds > 0) == (smaller > 0)
        assert 5 < found.seconds < 1e8 or name == "mixture"


@pytest.mark.parametrize("name", ["quickstart", "parity-decay", "transformer", "mixture"])
def test_times_are_those_that_planning_counts(name: str, tmp_path: Path) -> None:
    """With three digits, on every machine the same. Of mixture nothing can be counted: it reads
    networks that another sweep saves."""
    found = size(SWEEPS / f"{name}.yaml")
    (tmp_path / FILE).write_text(sizes_text({name: found}))
    assert read_sizes(tmp_path) == {name: SIZES[name]}, HINT
    assert math.isinf(found.seconds) == (name == "mixture")


def test_about_how_long() -> None:
    hours = {2.4: "2 s", 80: "80 s", 100: "2 min", 3600: "60 min", 8000: "2.2 h", 90000: "25 h"}
    assert {seconds: about(seconds) for seconds in hours} == hours
    assert about(1e6) == "12 days" and about(math.inf) == "?"
