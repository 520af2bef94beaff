"""Run a sweep into its result folder: train chunk by chunk, save, resume, label.

The one place where compiled programs, files and the terminal meet.
"""

from phasegrok.running.chunk import Reporter, Silent
from phasegrok.running.estimate import Estimate, estimated_time, measured_time
from phasegrok.running.loop import run
from phasegrok.running.prepare import prepare
from phasegrok.running.prepared import Prepared
from phasegrok.running.rates import job_work
from phasegrok.running.session import Interrupted

__all__ = [
    "Estimate",
    "Interrupted",
    "Prepared",
    "Reporter",
    "Silent",
    "estimated_time",
    "job_work",
    "measured_time",
    "prepare",
    "run",
]
