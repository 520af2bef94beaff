"""What sweeps leave for later ones in the user's cache folder: compiled programs, and rates."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import jax

from phasegrok.config import Engine
from phasegrok.files.store import Store, unusable
from phasegrok.machine import cache_folder
from phasegrok.train.compiling import keep_in

__all__ = ["VARIABLE", "kept", "use_cache"]

VARIABLE: Final = "PHASEGROK_COMPILATION_CACHE"
# Some hundred to a thousand programs of 0.1 to 1 MB.
MOST_BYTES: Final = 512 << 20


def use_cache(engine: Engine) -> str:
    """Keep compiled programs from now on where a sweep or this user wants it, or not at all.

    Returns:
        Why they are not kept where it was asked for, in a line; nothing if they are, or if nobody
        asked.
    """
    store, note = kept(engine)
    keep_in(store)
    return note


def kept(engine: Engine, environment: Mapping[str, str] = os.environ) -> tuple[Store | None, str]:
    """Where programs are kept, and why not where they should be.

    The environment variable wins over the sweep's key. Where JAX's own cache was turned on, that is
    used unless a place was named for ours.
    """
    named = environment.get(VARIABLE, "").strip()
    asked = named or engine.compilation_cache
    if asked == "off":
        return None, ""
    if asked == "auto":
        config: Any = jax.config
        home = None if config.jax_compilation_cache_dir else cache_folder(environment)
        folder = home / "programs" if home else None
        return (None if folder is None or unusable(folder) else Store(folder, MOST_BYTES)), ""
    folder = Path(asked).expanduser().absolute()
    if why := unusable(folder):
        source = VARIABLE if named else "engine.compilation_cache"
        return (
            None,
            f"note: {source}: {folder} is not used, since {why}; programs are compiled anew",
        )
    return Store(folder, MOST_BYTES), ""
