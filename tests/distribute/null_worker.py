"""What a Dask worker of tests loads first: its training is null, and it may be told to die.

Named by ``distributed.worker.preload``.
"""

from __future__ import annotations

import os
from typing import Any

POISON = "PHASEGROK_TEST_POISON"  # id of a chunk that ends every worker
BROKEN = "PHASEGROK_TEST_BROKEN"  # id of a chunk that no worker can train


def set_environment(values: dict[str, str]) -> None:
    os.environ.update(values)


def dask_setup(worker: Any) -> None:
    from phasegrok.distribute import worker as ours
    from phasegrok.files import members
    from phasegrok.plan import layout
    from tests.running import null

    null.train_nothing()
    members.HEARTBEAT = 0.2  # type: ignore[misc]
    layout.CALL_SECONDS = 1e-9
    plain = ours._trained

    def trained(given: Any, folder: Any, session: Any) -> Any:
        if given.chunk == os.environ.get(POISON):
            os._exit(1)
        if given.chunk == os.environ.get(BROKEN):
            raise ArithmeticError("no such number")
        return plain(given, folder, session)

    ours._trained = trained
