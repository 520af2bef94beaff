"""What a GPU makes of phasegrok: ``make bench-gpu``, or ``python benchmarks/gpu.py``.

Writes GPU.md beside this file, section by section as they are measured, in about ten minutes. A
start after an interrupted one goes on with the sections that are missing; ``--again`` measures all
of them. Where there is no GPU it says so and exits with 2. ``--pretend`` tries the
script on a CPU with tiny sizes, into a folder that is named.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
STATE = "GPU.json"  # what is measured, beside the report
SECTION_SECONDS = 900  # after which a section is given up


def device() -> dict[str, str]:
    """What the numbers are taken on: device, driver, libraries. Another one begins anew."""
    import jax

    from phasegrok import __version__

    first = jax.local_devices()[0]
    found = {
        "platform": first.platform,
        "device": f"{len(jax.local_devices())} x {first.device_kind}",
        "jax": f"{version('jax')}, jaxlib {version('jaxlib')}",
        "phasegrok": __version__,
        "driver": "none",
    }
    try:
        asked = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
        told = subprocess.run(asked, capture_output=True, text=True, check=True, timeout=20)
        found["driver"] = told.stdout.splitlines()[0].strip()
    except (OSError, subprocess.SubprocessError, IndexError):
        pass
    return found


def measure(name: str, pretend: bool, keep: Path | None = None) -> dict[str, Any]:
    """One section in a process of its own: one that fails costs its own numbers alone."""
    start = time.monotonic()
    command = [sys.executable, __file__, "--section", name, *(["--pretend"] if pretend else [])]
    command += ["--keep", str(keep)] if keep else []
    try:
        told = subprocess.run(
            command, capture_output=True, text=True, timeout=SECTION_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return {"failed": f"not done after {SECTION_SECONDS} s"}
    if told.returncode:
        said = (told.stderr.strip().splitlines() or ["no word"])[-1]
        return {"failed": f"exit code {told.returncode}: {said}"}
    return {"lines": json.loads(told.stdout), "seconds": round(time.monotonic() - start, 1)}


def report(state: dict[str, Any], titles: dict[str, str]) -> str:
    """The report as far as it is measured."""
    machine = state["machine"]
    pretended = " (pretended on a CPU: no number of it means anything)"
    lines = [f"# GPU{pretended if machine['platform'] == 'cpu' else ''}", ""]
    lines += [
        f"{machine['device']} ({machine['platform']}), driver {machine['driver']}; jax"
        f" {machine['jax']}; phasegrok {machine['phasegrok']}",
        "",
    ]
    for name, title in titles.items():
        found = state["sections"].get(name)
        lines += [f"## {title}", ""]
        if found is None:
            lines += ["Not measured yet.", ""]
        elif "failed" in found:
            lines += [f"Failed: {found['failed']}", ""]
        else:
            lines += [*found["lines"], "", f"({found['seconds']} s)", ""]
    return "\n".join(lines)


def read_state(path: Path, machine: dict[str, str]) -> dict[str, Any]:
    """What an earlier start measured on the same machine, without what failed."""
    try:
        state: dict[str, Any] = json.loads(path.read_text())
        kept = {n: found for n, found in state["sections"].items() if "lines" in found}
        if state["machine"] == machine:
            return {"machine": machine, "sections": kept}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        pass
    return {"machine": machine, "sections": {}}


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure a GPU.")
    parser.add_argument("--pretend", action="store_true", help="tiny sizes, on a CPU")
    parser.add_argument("--again", action="store_true", help="forget what is measured")
    parser.add_argument("--output", type=Path, help="folder; by default that of this script")
    parser.add_argument("--only", nargs="+", metavar="SECTION", help="leave the others for later")
    parser.add_argument("--keep", type=Path, help="folder in which Figure 3's results stay")
    parser.add_argument("--section", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.pretend and not (args.output or args.section):
        parser.error("--pretend needs --output FOLDER: GPU.md is for real numbers")
    from phasegrok.errors import Refusal
    from phasegrok.train.devices import use_all_cores

    try:
        use_all_cores()
        machine = device()
    except Refusal as refusal:
        print(f"bench-gpu: {refusal}", file=sys.stderr)
        sys.exit(2)
    if machine["platform"] != ("cpu" if args.pretend else "gpu"):
        want = "a CPU (JAX_PLATFORMS=cpu)" if args.pretend else "a GPU"
        print(f"bench-gpu: JAX shows {machine['platform']} here; needed: {want}", file=sys.stderr)
        sys.exit(2)
    from gpu_sections import LONG, SECTIONS, Scale

    if args.section:
        print(json.dumps(SECTIONS[args.section][1](Scale.of(args.pretend, args.keep))))
        return
    folder = args.output or HERE
    folder.mkdir(parents=True, exist_ok=True)
    titles = {name: title for name, (title, _) in SECTIONS.items()}
    if unknown := set(args.only or ()) - set(titles):
        parser.error(f"--only: found {', '.join(sorted(unknown))}; allowed: {', '.join(titles)}")
    state = read_state(folder / STATE, {} if args.again else machine)
    state["machine"] = machine
    for name in titles:
        asked = name in args.only if args.only else name not in LONG
        if asked and name not in state["sections"]:
            print(f"bench-gpu: {name}", file=sys.stderr, flush=True)
            state["sections"][name] = measure(name, args.pretend, args.keep)
        (folder / STATE).write_text(json.dumps(state, indent=1))
        (folder / "GPU.md").write_text(report(state, titles))
    print((folder / "GPU.md").read_text())
    if any("failed" in found for found in state["sections"].values()):
        sys.exit(1)


if __name__ == "__main__":
    main()
