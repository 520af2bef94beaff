"""The Makefile says each thing once."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

MAKEFILE = Path(__file__).parents[1] / "Makefile"


def test_no_target_has_two_recipes() -> None:
    """Make would take the last, with a warning that nobody reads."""
    targets = Counter(re.findall(r"^([a-z][a-z%-]*):", MAKEFILE.read_text(), re.M))
    assert {"quickstart", "test", "docs", "bench-gpu"} <= set(targets)
    assert max(targets.values()) == 1
