"""Deliver chunks to several processes, on one machine or on many.

The truth is on disk: a chunk is idempotent, and becomes one atomically published part of every
table. Whatever is here only says who trains which chunk when.
"""

from typing import Final

MOST_SHARDS: Final = 100_000
