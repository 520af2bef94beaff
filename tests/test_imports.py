"""The public names, and what importing a part of the package loads."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import phasegrok

HEAVY = ("jax", "pandas", "matplotlib", "ruamel.yaml", "yaml", "numpy", "scipy", "sklearn")


def loaded_by(code: str) -> set[str]:
    """The heavy modules that are loaded once a fresh interpreter has run the code."""
    code = f"import json, sys\n{code}\nprint(json.dumps([m for m in {HEAVY} if m in sys.modules]))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(__file__).parents[1],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout))


def test_importing_the_package_loads_nothing_heavy() -> None:
    """Not even numpy: a script that only asks for the version starts at once."""
    assert loaded_by("import phasegrok; phasegrok.__version__") == set()


def test_config_needs_neither_jax_nor_yaml() -> None:
    """Every module of it, so that tools can read run.json and identities without them."""
    files = (Path(phasegrok.__file__).parent / "config").glob("*.py")
    names = [f"phasegrok.config.{file.stem}" for file in files if file.stem != "__init__"]
    assert len(names) > 8
    assert loaded_by("import phasegrok.config, " + ", ".join(names)) == set()


def test_labelling_needs_no_jax() -> None:
    code = "from phasegrok import classify, label_cells"
    assert "jax" not in loaded_by(code)


def test_every_public_name_is_there() -> None:
    """They are what their modules define, and dir() lists them."""
    from phasegrok.analysis import phases
    from phasegrok.sweep.load import load

    for name in phasegrok.__all__:
        assert getattr(phasegrok, name) is not None and name in dir(phasegrok)
    assert phasegrok.load_sweep is load
    assert phasegrok.label_cells is phases.label_cells
    assert isinstance(phasegrok.load_sweep(Path("sweeps/quickstart.yaml")), phasegrok.Sweep)


def test_an_unknown_name_is_an_ordinary_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        phasegrok.nothing  # noqa: B018
