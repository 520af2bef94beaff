"""Tasks, models, optimizers and measurements from outside of the package.

A plugin is a Python module that registers what it has, as the package's own modules do (see
docs/extending.md). It is imported because the command line or the caller names it, or because its
package is installed and says that it is one. A file of results or a sweep file never names code.

What a run computes depends on the plugin's code. So the hash of that code is part of what
identifies a run.
"""

from __future__ import annotations

import ast
import hashlib
import importlib
import inspect
import sys
import sysconfig
import traceback
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType
from typing import Any, Final, NamedTuple

from phasegrok.config import Experiment, Measure
from phasegrok.errors import Refusal, escaped, short

__all__ = [
    "GROUP",
    "Plugin",
    "added",
    "check_loaded",
    "codes",
    "load",
    "of_package",
    "record",
    "used",
]

GROUP: Final = "phasegrok.plugins"  # of entry points
PACKAGE: Final = "phasegrok"


class Plugin(NamedTuple):
    """Where something comes from that is not the package's own."""

    module: str
    code: str  # 16 hex digits of a hash


_added: dict[tuple[str, str], Plugin] = {}  # by block and kind, or measure and key


def added() -> Mapping[tuple[str, str], Plugin]:
    """What plugins have registered, by block and kind, or ``measure`` and key."""
    return dict(_added)


def of_package(thing: Any) -> bool:
    """Whether a class or function is the package's own."""
    return str(thing.__module__).partition(".")[0] == PACKAGE


def record(block: str, kind: str, *things: Any) -> None:
    """Say where a kind of ``block:``, or a key of ``measure:``, comes from.

    Args:
        block: task, model, optimizer or measure.
        kind: or key.
        things: the classes and functions that it is made of.
    """
    module = str(things[-1].__module__)
    _added[block, kind] = Plugin(module, _code(module, things))


def used(experiments: Iterable[Experiment], measure: Measure) -> dict[str, str]:
    """The plugins that a sweep needs: hash of the code by module."""
    found = {each.module: each.code for e in experiments for each in _of(e)}
    for (block, key), plugin in _added.items():
        if block == "measure" and getattr(measure, key, False):
            found[plugin.module] = plugin.code
    return dict(sorted(found.items()))


def codes(experiment: Experiment) -> list[str]:
    """Hashes of the code from outside that decides the numbers of an experiment's runs."""
    return sorted({each.code for each in _of(experiment)})


def _of(experiment: Experiment) -> Iterator[Plugin]:
    for block in ("task", "model", "optimizer"):
        plugin = _added.get((block, getattr(experiment, block).kind))
        if plugin is not None:
            yield plugin


def check_loaded(needed: Mapping[str, str], where: str) -> None:
    """Refuse results of plugins that are not there.

    Args:
        needed: hash of the code by module, as a manifest or a ``run.json`` has them.
        where: they stand.

    Raises:
        Refusal: it names the first that is not loaded.
    """
    there = {plugin.module for plugin in _added.values()}
    for module in needed:
        if module not in there:
            raise Refusal(
                f"{where}: was begun with the plugin {module}, which is not loaded; allowed:"
                f" --plugin {module} (from Python: plugins=[{module}])"
            )


def load(modules: Iterable[str | ModuleType], installed: bool = True) -> None:
    """Import plugins, so that sweep files may use what they register.

    Args:
        modules: names as Python imports them, also from the working directory; or modules.
        installed: whether plugins of installed packages are loaded too: their entry points in the
            group :data:`GROUP` name modules.

    Raises:
        Refusal: one cannot be imported, or registers nothing, or what is there already.
    """
    for entry in sorted(entry_points(group=GROUP) if installed else (), key=lambda e: e.value):
        _load(entry.module, f"plugin {entry.name} (installed)")
    for module in modules:
        name = module.__name__ if isinstance(module, ModuleType) else module
        _load(name, f"--plugin {short(name)}")


def _load(name: str, where: str) -> None:
    if name.endswith(".py") or not all(part.isidentifier() for part in name.split(".")):
        raise Refusal(f"{where}: found no module name; allowed: MODULE or PACKAGE.MODULE")
    here = str(Path.cwd())
    if here not in sys.path and "" not in sys.path:
        sys.path.append(here)  # last: no file here takes the place of a library
    try:
        importlib.import_module(name)
    except Refusal as refusal:
        raise Refusal(f"{where}: {refusal}") from None
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # a module may do anything, also exit
        raise Refusal(
            f"{where}: cannot be imported ({_reason(error, name)}); allowed: a module that Python"
            " can import from here"
        ) from None
    inside = (name, f"{name}.")
    if not any(p.module == name or p.module.startswith(inside[1]) for p in _added.values()):
        raise Refusal(
            f"{where}: registers nothing; allowed: a module with a task, model, optimizer or"
            " measurement (docs/extending.md)"
        )


def _reason(error: BaseException, name: str) -> str:
    """What went wrong, and where in the user's own code."""
    what = escaped(f"{type(error).__name__}: {error}".partition("\n")[0])
    if isinstance(error, SyntaxError):
        return f"{what}, {error.filename}:{error.lineno}"
    frames = traceback.extract_tb(error.__traceback__)
    places = [f for f in frames if "importlib" not in f.filename and f.filename != __file__]
    return f"{what}, {places[-1].filename}:{places[-1].lineno}" if places else what


def _code(module: str, things: Iterable[Any]) -> str:
    """A hash of the source of a module and of what it imports from beside it."""
    digest = hashlib.sha256()
    file = getattr(sys.modules.get(module), "__file__", None)
    if file is None:  # a notebook's cells have no file
        try:
            for thing in things:
                digest.update(inspect.getsource(thing).encode())
        except (OSError, TypeError):
            raise Refusal(
                f"{module}: found no source, without which a changed formula could not be told;"
                " allowed: a module in a file"
            ) from None
        return digest.hexdigest()[:16]
    path = Path(file).resolve()
    depth = module.count(".") + (path.stem == "__init__")
    root = path.parents[depth]
    for source in sorted(_sources(path, root)):
        digest.update(f"{source.relative_to(root)}\n".encode() + source.read_bytes())
    return digest.hexdigest()[:16]


def _sources(first: Path, root: Path) -> set[Path]:
    """A source file, and all below ``root`` that it imports, directly or not.

    In a folder of installed packages, only those of the file's own package are.
    """
    libraries = {Path(sysconfig.get_path(name)).resolve() for name in ("purelib", "platlib")}
    home = root / first.relative_to(root).parts[0] if root in libraries else root
    found, open_ = {first}, [first]
    while open_:
        source = open_.pop()
        for name in _imported(source, root):
            for path in (
                root.joinpath(*name).with_suffix(".py"),
                root.joinpath(*name, "__init__.py"),
            ):
                if path.is_relative_to(home) and path.is_file() and path not in found:
                    found.add(path)
                    open_.append(path)
    return found


def _imported(source: Path, root: Path) -> Iterator[tuple[str, ...]]:
    """The modules that a file may import, as parts of their names below ``root``."""
    package = source.relative_to(root).parts[:-1]
    for node in ast.walk(ast.parse(source.read_bytes())):
        names: list[tuple[str, ...]] = []
        if isinstance(node, ast.Import):
            names = [tuple(alias.name.split(".")) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            base = (*above, *(node.module.split(".") if node.module else ()))
            names = [base, *((*base, alias.name) for alias in node.names if alias.name != "*")]
        for name in (each for each in names if each[:1] != (PACKAGE,)):
            yield from (name[:i] for i in range(1, len(name) + 1))
