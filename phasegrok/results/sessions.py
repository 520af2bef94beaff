"""What every start of a sweep did: small files of their own, ``sessions/NAME.json``.

The manifest of a folder does not change while its sweep trains, however many processes do. Each
process writes one file here, at its start, every few seconds, and at its end. Earlier versions
wrote the same entries into the manifest; those stay there.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from phasegrok.errors import Damaged
from phasegrok.files.seal import BLANK, read_object, sealing
from phasegrok.results.head import SessionHead, checked

__all__ = ["SESSIONS", "read_sessions", "write_session"]

SESSIONS: Final = "sessions"


def write_session(folder: Path, name: str, values: Mapping[str, Any]) -> None:
    """Write what a session has done by now, whole or not at all."""
    home = folder / SESSIONS
    home.mkdir(exist_ok=True)
    with sealing(home / f"{name}.json") as file:
        file.write(json.dumps({"seal": BLANK, **values}, indent=1).encode() + b"\n")


def read_sessions(folder: Path, begun: tuple[SessionHead, ...] = ()) -> list[SessionHead]:
    """The sessions of a folder, in order.

    Args:
        folder: of results.
        begun: those that its manifest has. A file that cannot be read is left out: it is for
            people, and no result rests on it.
    """
    found = []
    for path in (folder / SESSIONS).glob("[!.]*.json"):
        with suppress(Damaged, OSError):
            found.append(checked(SessionHead, read_object(path), path))
    return [*begun, *sorted(found, key=lambda each: (each.started, each.host, each.pid))]
