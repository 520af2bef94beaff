"""Keep a session's file up to date while it lasts, so that ``status`` can say what is going on."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

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
    stop = threading.Event()
    writer = threading.Thread(target=_write_on, args=(folder, session, stop), daemon=True)
    _write(folder, session, over=False)
    writer.start()
    try:
        yield
    finally:
        stop.set()
        writer.join(EVERY)
        _write(folder, session, over=True)


def _write_on(folder: Folder, session: Session, stop: threading.Event) -> None:
    while not stop.wait(EVERY):
        _write(folder, session, over=False)


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
