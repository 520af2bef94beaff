"""Run a sweep into its result folder: train chunk by chunk, save, resume, label.

The one place where compiled programs, files and the terminal meet.
"""

from phasegrok.run.chunk import Reporter
from phasegrok.run.estimate import Estimate, estimated_time, job_work
from phasegrok.run.loop import run
from phasegrok.run.prepare import prepare
from phasegrok.run.prepared import Prepared
from phasegrok.run.session import Interrupted

__all__ = [
    "Estimate",
    "Interrupted",
    "Prepared",
    "Reporter",
    "estimated_time",
    "job_work",
    "prepare",
    "run",
]
