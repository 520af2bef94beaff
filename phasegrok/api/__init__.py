"""The Python side: run a sweep and read its results, in a script or a notebook."""

from phasegrok.api.results import Results, load
from phasegrok.api.training import Estimate, estimate, run

__all__ = ["Estimate", "Results", "estimate", "load", "run"]
