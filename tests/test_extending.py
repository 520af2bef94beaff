"""docs/extending.md works as written, and what plugins cannot be is refused in one line."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from functools import partial
from pathlib import Path

import pandas as pd
import pytest

ROOT = Path(__file__).parents[1]
BLOCK = re.compile(r"^`(?P<file>\S+)`:\n\n```\w+\n(?P<code>.*?)^```$", re.M | re.S)
# The command as its own process; registries are the process's, and other tests have it clean.
SWEEP = ("sweep", "extended.yaml", "--set", "measure.weights=final", "--no-figures")
COMMAND = "from phasegrok.cli.start import main; main()"


def phasegrok(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """``phasegrok ...`` in a folder, compiled cheaply, as in conftest.py."""
    env = os.environ | {"PYTHONPATH": str(ROOT), "JAX_DISABLE_MOST_OPTIMIZATIONS": "true"}
    return subprocess.run(
        [sys.executable, "-c", COMMAND, *arguments],
        cwd=home,
        env=env,
        capture_output=True,
        text=True,
        timeout=600,
    )


def refused(done: subprocess.CompletedProcess[str], *words: str) -> None:
    """One line on stderr, exit code 2, no traceback."""
    assert done.returncode == 2, done.stderr
    assert done.stderr.count("\n") == 1, done.stderr
    for word in words:
        assert word in done.stderr, done.stderr


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of the page, and what came out of them."""
    home = tmp_path_factory.mktemp("page")
    blocks = list(BLOCK.finditer((ROOT / "docs" / "extending.md").read_text()))
    assert len(blocks) == 6
    for block in blocks:
        file = home / block["file"]
        file.parent.mkdir(exist_ok=True)
        file.write_text(block["code"])
    done = phasegrok(home, *SWEEP, "--plugin", "mylab")
    assert done.returncode == 0, done.stderr
    return home


def test_the_page_trains(trained: Path) -> None:
    """A sweep of the new task with the new model and optimizer has the new column and table,
    spectra and pruning curves, and its settings."""
    out = trained / "results" / "extended"
    runs = pd.read_parquet(out / "runs")
    assert runs["effective_neurons"].between(1, 16).all()
    assert "effective_neurons" in pd.read_parquet(out / "cells.parquet")
    assert runs["learning_rate"].eq(0.001).all() and runs["norm_u"].notna().all()
    assert runs["task"].eq("polynomial").all() and runs["modulus"].eq(7).all()
    assert len(pd.read_parquet(out / "neurons")) == 2 * 16
    assert len(pd.read_parquet(out / "pruning")) == 2 * 17
    outputs = pd.read_parquet(out / "outputs")
    assert outputs["output"].tolist() == [*range(7)] * 2 and outputs["size"].gt(0).all()
    needs = json.loads((out / "manifest.json").read_text())["plugins"]
    assert sorted(needs) == ["mylab.measures", "mylab.model", "mylab.optimizer", "mylab.task"]
    record = json.loads(next(out.glob("weights/*/run.json")).read_text())
    assert record["plugins"].keys() == needs.keys() - {"mylab.measures"}


def test_results_go_on_with_the_same_code_alone(trained: Path) -> None:
    """Again: nothing to do. Without the plugin, or with an edited formula: one line that names it,
    though nothing of the tables changed; reading tables needs no plugin."""
    done = phasegrok(trained, *SWEEP, "--plugin", "mylab")
    assert done.returncode == 0 and "2 of 2 runs are done" in done.stdout, done.stdout
    refused(phasegrok(trained, *SWEEP), "plugin mylab.m", "not loaded", "--plugin mylab.m")
    assert phasegrok(trained, "status", "results/extended").returncode == 0
    task = trained / "mylab" / "task.py"
    before = task.read_text()
    task.write_text(before.replace("m * m + m * n", "m * m - m * n"))
    done = phasegrok(trained, *SWEEP, "--plugin", "mylab")
    task.write_text(before)
    refused(done, "plugin mylab.task is another one than when this folder was begun", "--fresh")


FROM_PYTHON = """\
import phasegrok
results = phasegrok.run(
    "extended.yaml",
    change=["measure.weights=final"],
    plugins=["mylab.task", "mylab"],
    progress=False,
)
run = results.runs.iloc[0]
examples = results.examples(run["run"])
right = results.apply(run["run"], examples[["m", "n"]]).argmax(axis=1) == examples["label"]
print(abs(right[examples["subset"] == "test"].mean() - run["test_accuracy"]) < 1e-9)
"""


def test_from_python_and_installed(trained: Path) -> None:
    """A name or a module; and without naming it, where a package says that it is a plugin."""
    env = os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{trained}"}
    run = partial(subprocess.run, cwd=trained, env=env, capture_output=True, text=True, timeout=600)
    done = run([sys.executable, "-c", FROM_PYTHON])
    assert done.stdout == "True\n", done.stderr
    about = trained / "mylab-1.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: mylab\nVersion: 1\n")
    (about / "entry_points.txt").write_text("[phasegrok.plugins]\nlab = mylab\n")
    done = run([sys.executable, "-c", COMMAND, *SWEEP])
    assert done.returncode == 0 and "2 of 2 runs are done" in done.stdout, done.stderr
    (about / "entry_points.txt").write_text("[phasegrok.plugins]\nlab = mylab.gone\n")
    refused(run([sys.executable, "-c", COMMAND, *SWEEP]), "plugin lab (installed)", "mylab.gone")


BAD = {
    "nothing": ("x = 1\n", "registers nothing"),
    "broken": ("x = 1\ny = x / 0\n", "ZeroDivisionError: division by zero, ", "broken.py:2"),
    "unreadable": ("def f(:\n", "SyntaxError", "unreadable.py:1"),
    "leaves": ("raise SystemExit(0)\n", "cannot be imported (SystemExit"),
    "clash": (
        "from typing import Literal\nfrom phasegrok.config import TaskBlock\n"
        "from phasegrok.tasks import TASKS, Task\n"
        "class Mine(TaskBlock):\n    kind: Literal['modular'] = 'modular'\n"
        "@TASKS.register(Mine)\nclass T(Task): pass\n",
        "clash.Mine: task.kind modular: is there already (phasegrok.config.tasks)",
    ),
    "wrong": (
        "from phasegrok.tasks import TASKS, Task\n@TASKS.register(dict)\nclass T(Task): pass\n",
        "builtins.dict: found no block of a task; allowed: a class of TaskBlock",
    ),
    "column": (
        "from typing import Literal\nfrom phasegrok.config import ModelBlock\n"
        "from phasegrok.models import MODELS, Model\n"
        "class Mine(ModelBlock):\n    kind: Literal['mine'] = 'mine'\n    modulus: int = 3\n"
        "@MODELS.register(Mine)\nclass M(Model): pass\n",
        "column.Mine: modulus: its column would be that of task.modulus",
    ),
    "rate": (
        "from typing import Literal\nfrom phasegrok.config import OptimizerBlock\n"
        "from phasegrok.train.optimizers import OPTIMIZERS\n"
        "class Mine(OptimizerBlock):\n    kind: Literal['mine'] = 'mine'\n"
        "@OPTIMIZERS.register(Mine)\ndef mine(config, at): pass\n",
        "rate.Mine: found no traced learning_rate",
    ),
    "table": (
        "from phasegrok.measure import Measurement, register\n"
        "@register\nclass Mine(Measurement):\n    table = 'runs'\n    key = 'mine'\n"
        "    def compute(self, network): ...\n    def columns(self, arrays, inputs): ...\n"
        "    def rows(self, keys, group, arrays): ...\n",
        "table.Mine: found table 'runs'",
    ),
    "abstract": (
        "from phasegrok.measure import Scalar, register\n"
        "@register\nclass Mine(Scalar):\n    key = 'mine'\n",
        "abstract.Mine: found a measurement without compute",
    ),
    "key": (
        "from phasegrok.measure import Scalar, register\n"
        "@register\nclass Mine(Scalar):\n    key = 'spectra'\n"
        "    def compute(self, network): ...\n",
        "measure.spectra: is there already",
    ),
}
TRY = """\
import sys
from phasegrok import plugins
from phasegrok.errors import Refusal
for name in sys.argv[1:]:
    try:
        plugins.load([name])
    except Refusal as refusal:
        print(refusal)
    else:
        print(name, "was accepted")
"""


def test_what_cannot_be_a_plugin_is_refused(tmp_path: Path) -> None:
    """One line each, that names the module and what is wrong with it."""
    for name, (code, *_) in BAD.items():
        (tmp_path / f"{name}.py").write_text(code)
    names = [*BAD, "is_nowhere", "here/plugin.py"]
    done = subprocess.run(
        [sys.executable, "-c", TRY, *names],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    lines = done.stdout.splitlines()
    assert len(lines) == len(names), done.stdout + done.stderr
    expected = [words for _, *words in BAD.values()]
    expected += [["No module named 'is_nowhere'"], ["found no module name"]]
    for line, name, words in zip(lines, names, expected, strict=True):
        assert line.startswith(f"--plugin {name}: "), line
        assert all(word in line for word in words), line


def test_the_command_refuses_before_it_writes(tmp_path: Path) -> None:
    sweep = tmp_path / "tiny.yaml"
    sweep.write_text("name: tiny\n")
    refused(phasegrok(tmp_path, "sweep", "tiny.yaml", "--plugin", "none_such"), "none_such")
    assert [path.name for path in tmp_path.iterdir()] == ["tiny.yaml"]
