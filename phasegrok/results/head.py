"""What every command needs of a manifest. Loads without JAX."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from phasegrok.config import column
from phasegrok.errors import Damaged

__all__ = ["Head", "SessionHead", "checked"]

T = TypeVar("T")


@dataclass(frozen=True)
class SessionHead:
    """One start of the sweep.

    Attributes:
        started, ended: local times; ``ended`` is that of the last entry, while it goes on.
        host, pid, device: where.
        share: of the sweep, as ``2/4``, where several processes work on it; or ``worker``.
        seconds: from its start until ``ended``.
        chunks, runs, diverged: that it published.
        chunk: that it trains.
        mixed: chunks that were trained on another kind of device than that of the folder.
        over: whether it has ended.
    """

    started: str = ""
    ended: str = ""
    host: str = ""
    pid: int = 0
    device: str = ""
    share: str = ""
    seconds: float = 0.0
    chunks: int = 0
    runs: int = 0
    diverged: int = 0
    chunk: str = ""
    mixed: tuple[str, ...] = ()
    over: bool = True


@dataclass(frozen=True, kw_only=True)
class Head:
    """The part of a manifest that says what the tables are of.

    Attributes:
        axes: the swept columns.
        sweep: resolved.
        name: of the sweep.
        runs: how many the sweep has.
        device: that began it.
        sessions: in order.
        lacking: names of parts that a table does not have, by table; it was removed on purpose.
        plugins: modules from outside that computed it, and hashes of their code.
        columns: type of every column, by table; of a folder that an earlier version began, none.
    """

    axes: list[str]
    sweep: dict[str, Any] = field(default_factory=dict)
    name: str = ""
    runs: int = 0
    device: str = ""
    sessions: tuple[SessionHead, ...] = ()
    lacking: dict[str, tuple[str, ...]] = field(default_factory=dict)
    columns: dict[str, dict[str, str]] = field(default_factory=dict)
    plugins: dict[str, str] = field(default_factory=dict)

    @property
    def crossed(self) -> list[str]:
        """The swept columns that no other one decides: of axes that move together, the first."""
        behind = {column(path) for group in self.sweep.get("zip", []) for path in group[1:]}
        return [name for name in self.axes if name not in behind]


def checked(kind: type[T], values: Mapping[str, Any], path: Path) -> T:
    """A manifest's JSON values as one of its typed forms.

    Raises:
        Damaged: something is missing or wrong.
    """
    try:
        return TypeAdapter(kind).validate_python(dict(values))
    except ValidationError as error:
        first = error.errors()[0]
        raise Damaged(path, f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from None
