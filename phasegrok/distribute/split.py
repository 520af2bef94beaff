"""Which chunks a shard trains, in which order: its own share, then what others have not begun."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

from phasegrok.distribute import MOST_SHARDS
from phasegrok.errors import Refusal, short
from phasegrok.running.follow import Chunk

__all__ = ["Shard", "in_order"]


@dataclass(frozen=True)
class Shard:
    """Number ``index`` of ``count`` processes that share a sweep, from 1."""

    index: int
    count: int

    def __str__(self) -> str:
        return f"{self.index}/{self.count}"

    @classmethod
    def parse(cls, text: str) -> Shard:
        """``2/4``.

        Raises:
            Refusal: it is none.
        """
        found = re.fullmatch(r"([0-9]{1,6})/([0-9]{1,6})", text)
        if found:
            index, count = map(int, found.groups())
            if 1 <= index <= count <= MOST_SHARDS:
                return cls(index, count)
        raise Refusal(f"--shard {short(text)}: found no share; allowed: I/N, from 1/N to N/N")


def in_order(
    chunks: Sequence[Chunk], shard: Shard, work: Callable[[Chunk], float], compiled: Collection[Any]
) -> list[Chunk]:
    """All of the chunks, in the order in which a shard asks for them.

    Each shard has a stretch of the sweep of about the same work: neighbouring chunks share
    programs, so it compiles few. Then come those of the others, from their ends, where they come
    to last; first of all those whose programs it has compiled.

    Args:
        chunks: of the sweep, or of a level of it, in the manifest's order, done or not. Every shard
            splits the same list.
        shard: whose order it is.
        work: from :func:`~phasegrok.running.rates.work_of`.
        compiled: ids of jobs (``id(chunk.job)``) that this process has compiled.
    """
    total = sum(map(work, chunks)) or 1.0
    shares: list[list[Chunk]] = [[] for _ in range(shard.count)]
    before = 0.0
    for chunk in chunks:
        each = work(chunk)
        place = int((before + each / 2) / total * shard.count)
        shares[min(place, shard.count - 1)].append(chunk)
        before += each
    mine = shard.index - 1
    others = [
        chunk for k in range(1, shard.count) for chunk in reversed(shares[(mine + k) % shard.count])
    ]
    others.sort(key=lambda chunk: id(chunk.job) not in compiled)
    return shares[mine] + others
