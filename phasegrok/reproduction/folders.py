"""The result folders that the claims rest on, and the commands that wrote them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from phasegrok.reproduction.base import Claim, Results
from phasegrok.sweep.load import load

__all__ = ["command", "named", "table"]

SWEEPS: Final = Path(__file__).parents[2] / "sweeps"
# Blocks whose settings change nothing that a claim is about.
ELSEWHERE: Final = ("engine", "measure", "name", "refine")


def named(claims: Iterable[Claim]) -> list[str]:
    """The folders that claims name, each once, in their order."""
    return list(dict.fromkeys(name for claim in claims for name in claim.tables.split("`")[1::2]))


def table(root: Path, names: Iterable[str]) -> str:
    """Folders with their command, runs and time, as a Markdown table."""
    lines = ["| folder | command | runs | minutes | device |", "|---|---|---|---|---|"]
    for name in names:
        results = Results(root / name)
        if not results.folder.manifest_path.exists():
            file = SWEEPS / f"{name}.yaml"
            reduced = " --reduced" if "\nreduced:" in file.read_text() else ""
            text = f"python -m phasegrok.sweep sweeps/{name}.yaml{reduced}"
            lines.append(f"| {name} | `{text} --output {folder(name)}` | not run yet | | |")
            continue
        manifest = results.manifest
        seconds = sum(session.seconds for session in results.folder.sessions())
        done = len(results["runs"])
        count = f"{done}" if results.complete else f"{done} of {manifest['runs']}"
        lines.append(
            f"| {name} | `{command(name, manifest)}` | {count} | {seconds / 60:.0f} |"
            f" {manifest['machine']['devices']} {manifest['device']} |"
        )
    return "\n".join(lines)


def folder(name: str) -> str:
    return f"results/reference/{name}"


def command(name: str, manifest: dict[str, Any]) -> str:
    """The command that writes a folder: its sweep file, reduced or not, and what else was set.

    Raises:
        FileNotFoundError: the sweep has no file of its name.
    """
    file = f"{manifest['name']}.yaml"
    found = settings(manifest["sweep"])
    options = []
    for reduced in (False, True):
        if reduced and "\nreduced:" not in (SWEEPS / file).read_text():
            continue
        there = settings(load(SWEEPS / file, reduced=reduced).resolved())
        # A key that only one of them has came with another version, at its default, unless it is
        # one value of what the file sweeps.
        changed = {
            key: value
            for key, value in found.items()
            if there.get(key, value) != value or f"axes.{key}" in there
        }
        options.append((len(changed), reduced, changed))
    _, reduced, changed = min(options, key=lambda option: option[:2])
    sets = [f"--set '{key}={json.dumps(value)}'" for key, value in changed.items()]
    levels = manifest["sweep"].get("refine", {}).get("levels", 0)
    how = ["--reduced"] * reduced + [f"--refine {levels}"] * bool(levels)
    words = ["python -m phasegrok.sweep", f"sweeps/{file}", *how]
    return " ".join([*words, *sets, "--output", folder(name)])


def settings(sweep: dict[str, Any]) -> dict[str, Any]:
    """A resolved sweep's settings by dotted path, and its axes by ``axes.PATH``."""
    flat: dict[str, Any] = {"seeds": list(sweep["seeds"])}
    for block, values in sweep.items():
        if block not in ELSEWHERE and isinstance(values, dict) and block != "variants":
            flat |= {f"{block}.{key}": value for key, value in values.items()}
    # An axis stands for the setting of its path.
    return {key: value for key, value in flat.items() if f"axes.{key}" not in flat}
