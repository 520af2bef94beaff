"""What a sweep file may say can be read without JAX."""

from __future__ import annotations

import subprocess
import sys


def test_config_needs_no_jax() -> None:
    """Tools that only read sweep files or tables do not wait for JAX to start."""
    code = (
        "import phasegrok.config, phasegrok.config.run_record, phasegrok.analysis.phases, sys;"
        "assert 'jax' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
