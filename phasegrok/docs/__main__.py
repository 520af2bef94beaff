"""``python -m phasegrok.docs``: write the generated pages of docs/, in a checkout.

``--sizes`` plans every sweep first, and writes sweeps/sizes.csv, from which the pages have runs and
times.
"""

from __future__ import annotations

import sys
from pathlib import Path

from phasegrok.docs import pages, sizes
from phasegrok.sweep.sizes import FILE


def main() -> int:
    """Write what has changed, and say what."""
    root = Path.cwd()
    if not (root / "docs" / "reproduction.md").exists():
        print(f"{root}: found no docs/reproduction.md; allowed: a checkout", file=sys.stderr)
        return 2
    if "--sizes" in sys.argv[1:]:
        _write(Path("sweeps", FILE), sizes.page(root / "sweeps"))
    for name, text in pages(root).items():
        _write(Path("docs", name), text)
    return 0


def _write(path: Path, text: str) -> None:
    if not path.exists() or path.read_text() != text:
        path.write_text(text)
        print(f"wrote {path}")


if __name__ == "__main__":
    sys.exit(main())
