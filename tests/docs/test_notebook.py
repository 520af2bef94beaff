"""The notebook runs from the first cell to the last, and answers its question."""

from __future__ import annotations

import os
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from tests.docs.blocks import ROOT


@pytest.mark.filterwarnings("ignore")  # of the machinery of kernels, not of the notebook
def test_the_notebook_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a kernel, as in Jupyter: a diagram is shown, and the answer is that decay saves data. The
    boundaries of the three decays are in order, each by more than its interval."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("JAX_DISABLE_MOST_OPTIMIZATIONS", "true")  # as in conftest.py
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "runtime"))
    book = nbformat.read(ROOT / "docs" / "notebook.ipynb", as_version=4)
    nbformat.validate(book)
    assert not any(cell.get("outputs") for cell in book.cells)
    client = NotebookClient(book, timeout=600, resources={"metadata": {"path": str(tmp_path)}})
    client.execute(env=dict(os.environ))
    shown = [out for cell in book.cells for out in cell.get("outputs", [])]
    results = [out["data"] for out in shown if "data" in out]
    assert any("data:image/png;base64," in each.get("text/html", "") for each in results)
    answer = "".join(out["text"] for out in shown if out["output_type"] == "stream")
    assert "a weight decay of 5 saves 1" in answer
    (fits,) = [each["text/plain"] for each in results if "fit_low" in each["text/plain"]]
    none, some, much = ([float(x) for x in line.split()[1:]] for line in fits.splitlines()[-3:])
    assert none[1] > some[2] - 0.03 and some[1] > much[2] - 0.03 and none[1] > much[2]
    assert (tmp_path / "results" / "decay" / "cells.parquet").exists()
