"""Every shard has all chunks in its order: its own first, then those that others come to last."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from phasegrok.distribute.split import Shard, in_order
from phasegrok.errors import Refusal


def chunks(*sizes: int) -> Any:
    """Chunks of two jobs: the first half is one's, the rest the other's."""
    jobs = [SimpleNamespace(), SimpleNamespace()]
    return [
        SimpleNamespace(id=str(i), job=jobs[2 * i >= len(sizes)], runs=np.arange(size))
        for i, size in enumerate(sizes)
    ]


def work(chunk: Any) -> float:
    return float(len(chunk.runs))


def ids(found: Any) -> str:
    return "".join(chunk.id for chunk in found)


def test_shares_are_stretches_of_about_the_same_work() -> None:
    made = chunks(1, 1, 1, 1, 2, 2, 4)
    assert ids(in_order(made, Shard(1, 3), work, ())).startswith("0123")
    assert ids(in_order(made, Shard(2, 3), work, ())).startswith("45")
    assert ids(in_order(made, Shard(3, 3), work, ())).startswith("6")


@pytest.mark.parametrize("count", [1, 2, 3, 5, 9])
def test_every_chunk_is_one_shard_s_own_and_everybody_s_in_the_end(count: int) -> None:
    made = chunks(*range(1, 8))
    orders = [in_order(made, Shard(i + 1, count), work, ()) for i in range(count)]
    assert all(sorted(ids(order)) == sorted(ids(made)) for order in orders)


def test_what_others_have_is_taken_from_its_end_and_what_is_compiled_first() -> None:
    made = chunks(1, 1, 1, 1, 1, 1)
    assert ids(in_order(made, Shard(1, 3), work, ())) == "013254"
    assert ids(in_order(made, Shard(1, 3), work, {id(made[5].job)})) == "013542"


def test_a_share_is_read() -> None:
    assert Shard.parse("2/4") == Shard(2, 4) and str(Shard(2, 4)) == "2/4"
    for text in ("0/4", "5/4", "1/0", "1", "/", "-1/4", "1/4/2", "1 / 4", "1/" + "9" * 30):
        with pytest.raises(Refusal, match="allowed: I/N"):
            Shard.parse(text)
