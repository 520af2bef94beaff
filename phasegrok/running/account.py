"""Keep a session's file up to date while it lasts, so that ``status`` can say what is going on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Final

from phasegrok.files.repeating import repeating
from phasegrok.results.folder import Folder
from phasegrok.results.sessions import write_session
from phasegrok.running.session import Session
from phasegrok.train.devices import kind_of_device

__all__ = ["keeping"]

EVERY: Final = 5.0  # seconds between two entries


@contextmanager
def keeping(folder: Folder, session: Session) -> Iterator[None]:
    """Write ``sessions/NAME.json`` now, every few seconds, and at the end.

    A disk that fails here does not end the sweep: no result rests on this file.
    """
    write = partial(_write, folder, session)
    write(over=False)
    try:
        with repeating(EVERY, partial(write, over=False), patience=EVERY):
            yield
    finally:
        write(over=True)


def _write(folder: Folder, session: Session, over: bool) -> None:
    values = session.to_json()
    begun = re.sub(r"[^0-9T]", "", session.started[:19])
    host = re.sub(r"[^A-Za-z0-9.-]", "_", session.host)
    with suppress(OSError):
        write_session(
            folder.path,
            f"{begun}-{host}-{values['pid']}",
            {**values, "device": kind_of_device(), "over": over},
        )
