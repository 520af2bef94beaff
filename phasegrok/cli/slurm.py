"""``phasegrok slurm``: a job array whose tasks share one sweep."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from phasegrok.distribute import MOST_SHARDS
from phasegrok.errors import Refusal, short

__all__ = ["Job", "script", "submit"]

TIME = re.compile(r"\d+|\d+:\d{1,2}(:\d{1,2})?|\d+-\d{1,2}(:\d{1,2}){0,2}")
OPTION = re.compile(r"--?[A-Za-z][A-Za-z-]*(=.*)?")

# Bash hears a signal only while it waits, and its `wait` ends early then.
WAITS = """\
trap 'kill -USR1 "$pid" 2>/dev/null' USR1
wait "$pid"; code=$?
while [ "$code" -gt 128 ] && kill -0 "$pid" 2>/dev/null; do wait "$pid"; code=$?; done
if [ "$code" -gt 128 ]; then
  wait "$pid" 2>/dev/null; again=$?
  if [ "$again" -ne 127 ]; then code=$again; fi
fi
# 75: everything is saved, and the time is up. The task goes back into the queue.
if [ "$code" -eq 75 ]; then
  scontrol requeue "${SLURM_ARRAY_JOB_ID}_${SLURM_ARRAY_TASK_ID}"
fi
exit "$code"
"""


@dataclass(frozen=True, kw_only=True)
class Job:
    """What a job array asks for.

    Attributes:
        name: of the sweep.
        arguments: of ``phasegrok sweep``, the share apart.
        output: the result folder.
        tasks: how many processes share the sweep.
        gpu: what each task gets, as ``gpu:1``; empty for none.
        time: the limit of each task, as Slurm reads it.
        cpus, memory: of each task; empty for the cluster's own default.
        at_most: tasks that run at the same time; 0 for all.
        options: more options of sbatch, as they are.
        setup: lines of shell before the sweep.
        margin: seconds before the end of the time at which a task is told to save.
    """

    name: str
    arguments: Sequence[str]
    output: Path
    tasks: int
    gpu: str = "gpu:1"
    time: str
    cpus: int = 0
    memory: str = ""
    at_most: int = 0
    options: Sequence[str] = ()
    setup: Sequence[str] = ()
    margin: int = 120

    @property
    def logs(self) -> Path:
        """The folder of the tasks' logs, beside the results."""
        output = self.output.absolute()
        return output.with_name(f"{output.name}-logs")

    def check(self) -> None:
        """Refuse what Slurm would not understand.

        Raises:
            Refusal: it says what.
        """
        if not 1 <= self.tasks <= MOST_SHARDS:
            raise Refusal(f"--gpus, --tasks: found {self.tasks}; allowed: 1 to {MOST_SHARDS}")
        if not TIME.fullmatch(self.time):
            raise Refusal(
                f"--time: found {short(self.time)}; allowed: minutes, MM:SS, HH:MM:SS, D-HH:MM:SS"
            )
        for option in self.options:
            if not OPTION.fullmatch(option):
                raise Refusal(
                    f"--sbatch: found {short(option)}; allowed: an option of sbatch, such as"
                    " --partition=gpu"
                )
        for text in (self.memory, self.gpu, *self.options):
            if any(not each.isprintable() for each in text):
                raise Refusal(f"{short(text)}: found a character that is not printable")


def script(job: Job) -> str:
    """The batch script.

    Raises:
        Refusal: Slurm would not understand it.
    """
    job.check()
    command = shlex.join([sys.executable, "-m", "phasegrok.sweep", *job.arguments])
    share = f'--shard "$SLURM_ARRAY_TASK_ID/{job.tasks}"'
    lines = [
        "#!/bin/bash",
        *(f"#SBATCH {each}" for each in _options(job)),
        "",
        f"# {job.tasks} processes share {job.output}; whoever is done takes over what is left.",
        f"cd {shlex.quote(str(Path.cwd()))} || exit 2",
        *job.setup,
        f"{command} {share} &",
        "pid=$!",
        WAITS,
    ]
    return "\n".join(lines)


def submit(job: Job) -> str:
    """Submit a job, and give what sbatch says.

    Raises:
        Refusal: there is no sbatch, or it refuses.
    """
    text = script(job)
    if shutil.which("sbatch") is None:
        raise Refusal(
            "--submit: found no sbatch here; allowed: a login node of a Slurm cluster, or without"
            " --submit, which prints the script"
        )
    job.logs.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(["sbatch"], input=text, capture_output=True, text=True, check=False)
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip() or "nothing").splitlines()[-1]
        raise Refusal(f"sbatch: ended with {done.returncode}: {short(said)}")
    return done.stdout.strip()


def _options(job: Job) -> Iterator[str]:
    yield f"--job-name={job.name}"
    yield f"--array=1-{job.tasks}" + (f"%{job.at_most}" if job.at_most else "")
    yield "--ntasks=1"
    if job.gpu:
        yield f"--gres={job.gpu}"
    if job.cpus:
        yield f"--cpus-per-task={job.cpus}"
    if job.memory:
        yield f"--mem={job.memory}"
    yield f"--time={job.time}"
    yield f"--signal=B:USR1@{job.margin}"
    yield "--requeue"
    yield "--open-mode=append"
    log = str(job.logs / "%A_%a.log").replace('"', '\\"')
    yield f'--output="{log}"' if " " in log else f"--output={log}"
    yield from job.options
