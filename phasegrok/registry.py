"""Which builder serves which block of a sweep file: a kind and its builder meet in one file."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterable
from typing import Any, Generic, TypeVar

from phasegrok import plugins
from phasegrok.config.fields import Block
from phasegrok.config.opened import admit

Builder = TypeVar("Builder", bound=Callable[..., Any])


class Registry(Generic[Builder]):
    """Builders by the class of a block.

    A builder's own file registers it, so nothing else has to know of it::

        @TASKS.register(config.Modular)
        class ModularTask(Task): ...
    """

    def __init__(self, name: str) -> None:
        """``name`` is that of the block that plugins may add kinds to: task, model, optimizer;
        empty where there is nothing to add to."""
        self._name = name
        self._builders: dict[type[Block], Builder] = {}

    def register(self, block: type[Block]) -> Callable[[Builder], Builder]:
        """The decorator that makes a builder the one of ``block``.

        A block of a plugin becomes one that sweep files may choose.

        Raises:
            Refusal: a plugin's block cannot be one of them.
        """

        def add(builder: Builder) -> Builder:
            assert block not in self._builders, f"{block.__name__} has two builders"
            if self._name and not plugins.of_package(builder):
                plugins.record(self._name, admit(self._name, block), block, builder)
            self._builders[block] = builder
            return builder

        return add

    def __getitem__(self, block: type[Block]) -> Builder:
        return self._builders[block]

    def __contains__(self, block: object) -> bool:
        return block in self._builders


def import_all(package: str, path: Iterable[str]) -> None:
    """Import every module of a package and of those in it, so that their builders register.

    Args:
        package: its name.
        path: its ``__path__``.
    """
    for module in pkgutil.walk_packages(path, f"{package}."):
        importlib.import_module(module.name)
