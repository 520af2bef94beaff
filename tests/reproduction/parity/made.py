"""Result folders made by hand, for claims that must be able to say yes and no."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from phasegrok.reproduction.base import Claim, Results


def results(
    folder: Path, runs: pd.DataFrame, task: dict[str, Any] | None = None, **tables: pd.DataFrame
) -> Results:
    """Tables of a sweep on the parity of 2 of 50 signs, with other settings from ``task``."""
    folder.mkdir(parents=True, exist_ok=True)
    block = {"kind": "parity", "bits": 50, "parity_bits": 2, "train_examples": 300} | (task or {})
    sweep = {"task": block, "axes": {}, "seeds": sorted(set(runs["seed"]))}
    manifest = {
        "name": folder.name,
        "axes": [],
        "runs": len(runs),
        "device": "cpu",
        "sweep": sweep,
        "sessions": [],
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))
    found = Results(folder)
    found.update({"runs": runs, **tables})
    return found


def save(found: Results, run: str, step: int, u: Any, w: Any) -> None:
    """A network with first-layer weights (features, width) and output weights (width,)."""
    columns = np.asarray(w, np.float32)[:, None]
    arrays = {"u": np.asarray(u, np.float32), "biases.0": np.zeros(len(columns)), "w": columns}
    found.folder.save_weights(run, step, arrays)


def held(claims: Iterable[Claim], words: str) -> Claim:
    """The one claim whose text has these words; a verdict that is not yes is explained."""
    (claim,) = (claim for claim in claims if words in claim.text)
    assert (claim.held is True) != bool(claim.why) and claim.rule
    return claim
