"""The array script: its text, and its tasks as processes, signals and requeueing included."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from phasegrok.cli.main import app
from phasegrok.cli.slurm import Job, script
from phasegrok.docs.commands import commands
from phasegrok.errors import Refusal
from tests.distribute.children import SWEEP, ended, same, start, until

ROOT = Path(__file__).parents[2]


def job(**changed: Any) -> Job:
    given = {"name": "wd", "arguments": ["wd.yaml"], "output": Path("/r/wd"), "tasks": 4}
    return Job(**{**given, "time": "4:00:00", **changed})


def asked(text: str) -> list[str]:
    return [line.removeprefix("#SBATCH ") for line in text.splitlines() if "#SBATCH" in line]


def test_the_script_asks_for_what_was_asked() -> None:
    text = script(
        job(cpus=8, memory="32G", at_most=2, options=["--partition=gpu"], setup=["module load x"])
    )
    assert asked(text) == [
        "--job-name=wd",
        "--array=1-4%2",
        "--ntasks=1",
        "--gres=gpu:1",
        "--cpus-per-task=8",
        "--mem=32G",
        "--time=4:00:00",
        "--signal=B:USR1@120",
        "--requeue",
        "--open-mode=append",
        "--output=/r/wd-logs/%A_%a.log",
        "--partition=gpu",
    ]
    assert '--shard "$SLURM_ARRAY_TASK_ID/4" &' in text and "\nmodule load x\n" in text


@pytest.mark.parametrize(
    "changed",
    [{"time": "4h"}, {"tasks": 0}, {"options": ["rm -rf"]}, {"memory": "1G\n#SBATCH --x"}],
)
def test_what_slurm_would_not_understand_is_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(Refusal):
        script(job(**changed))


def test_tasks_save_come_back_and_share(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two tasks; the time of one is up, so it saves, and is put back into the queue once. In the
    end the tables are one process's."""
    python, log = tmp_path / "python", tmp_path / "requeued"
    python.write_text(
        f'#!/bin/sh\nshift 2\nexec "{sys.executable}" -m tests.distribute.command sweep "$@"\n'
    )
    scontrol = tmp_path / "scontrol"
    scontrol.write_text(f'#!/bin/sh\necho "$@" >> "{log}"\n')
    for each in (python, scontrol):
        each.chmod(0o755)
    (tmp_path / "sweep.yaml").write_text(SWEEP)
    out = tmp_path / "out"
    monkeypatch.setattr(sys, "executable", str(python))
    text = script(
        job(arguments=[str(tmp_path / "sweep.yaml"), "--output", str(out)], output=out, tasks=2)
    )
    monkeypatch.undo()
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("JAX_NUM_CPU_DEVICES", "2")
    monkeypatch.setenv("SLURM_ARRAY_JOB_ID", "77")
    (tmp_path / "job.sh").write_text(text)

    def task(number: int, seconds: float) -> subprocess.Popen[bytes]:
        environment = os.environ | {
            "SLURM_ARRAY_TASK_ID": str(number),
            "NULL_TRAINER_SECONDS": str(seconds),
        }
        with (tmp_path / f"{number}.log").open("ab") as file:
            bash = shutil.which("bash") or "bash"
            return subprocess.Popen(
                [bash, tmp_path / "job.sh"], env=environment, stdout=file, stderr=file, cwd=ROOT
            )

    first, second = task(1, 0.2), task(2, 0.1)
    until(lambda: list(out.glob(".checkpoint-*")) and list(out.glob("runs/*")))
    first.send_signal(signal.SIGUSR1)
    assert first.wait(60) == 75, (tmp_path / "1.log").read_text()
    assert log.read_text() == "requeue 77_1\n"
    assert task(1, 0.0).wait(120) == 0 and second.wait(120) == 0
    assert log.read_text() == "requeue 77_1\n"
    alone = start("sweep", tmp_path / "sweep.yaml", "--output", tmp_path / "one", log=log)
    assert ended(alone) == 0 and same(out, tmp_path / "one")


def test_the_command_prints_and_submits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Submitting makes the folder for logs, without which Slurm would fail a task in silence."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sweep.yaml").write_text(SWEEP)
    given = ["slurm", "sweep.yaml", "--gpus", "3", "--gpu-type", "a100", "--time", "60"]
    printed = CliRunner().invoke(app, [*given, "--set", "seeds=[0]", "--refine", "0"])
    assert printed.exit_code == 0, printed.output
    assert "--gres=gpu:a100:1" in asked(printed.stdout) and "--array=1-3" in asked(printed.stdout)
    assert "--set 'seeds=[0]' --set refine.levels=0" in printed.stdout
    assert "mkdir -p" in printed.stderr and not (tmp_path / "results").exists()

    monkeypatch.setenv("PATH", str(tmp_path))
    nowhere = CliRunner().invoke(app, [*given, "--submit"])
    assert nowhere.exit_code == 2 and "found no sbatch" in nowhere.stderr
    sbatch = tmp_path / "sbatch"
    sbatch.write_text("#!/bin/sh\n/bin/cat > submitted\necho Submitted batch job 7\n")
    sbatch.chmod(0o755)
    done = CliRunner().invoke(app, [*given, "--submit"])
    assert done.exit_code == 0 and "Submitted batch job 7" in done.stdout, done.output
    assert (tmp_path / "results" / "shared-logs").is_dir()
    assert (tmp_path / "submitted").read_text().startswith("#!/bin/bash\n#SBATCH --job-name=shared")

    both = CliRunner().invoke(app, [*given, "--tasks", "3"])
    assert both.exit_code == 2 and "allowed: one of them" in both.stderr


# Of these each task has its own, or none: a job array neither plans nor begins anew.
NOT_PASSED_ON = {
    *("plan", "measure", "fresh", "shard", "any_device", "workers", "scheduler", "scheduler_file"),
    *("no_shared_files", "dashboard", "tls_ca", "tls_cert", "tls_key"),
}


def test_what_decides_a_sweep_is_passed_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every other option of the command is one of the array too, and stands in its script."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sweep.yaml").write_text(SWEEP + "reduced: {train.steps: 20}\n")
    (tmp_path / "mine.py").write_text("")
    monkeypatch.setattr("phasegrok.cli.plugins.load_plugins", lambda modules: None)
    own = {each.name for each in commands()["sweep"].params} - NOT_PASSED_ON - {"file"}
    assert own <= {each.name for each in commands()["slurm"].params}
    given = ["--set", "seeds=[0]", "--refine", "0", "--reuse", ".", "--plugin", "mine"]
    flags = ["--reduced", "--extend", "--mixed", "--no-figures", "--output", "there"]
    asked = ["slurm", "sweep.yaml", "--tasks", "2", "--time", "60", *given, *flags]
    printed = CliRunner().invoke(app, asked)
    assert printed.exit_code == 0, printed.output
    named = {"set_": "--set", "refine": "refine.levels="}
    for name in own:
        assert named.get(name, f"--{name.replace('_', '-')}") in printed.stdout, name
