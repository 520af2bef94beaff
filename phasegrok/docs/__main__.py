"""``python -m phasegrok.docs``: write the generated pages of docs/, in a checkout."""

from __future__ import annotations

import sys
from pathlib import Path

from phasegrok.docs import pages


def main() -> int:
    """Write what has changed, and say what."""
    root = Path.cwd()
    if not (root / "docs" / "reproduction.md").exists():
        print(f"{root}: found no docs/reproduction.md; allowed: a checkout", file=sys.stderr)
        return 2
    for name, text in pages(root).items():
        path = root / "docs" / name
        if not path.exists() or path.read_text() != text:
            path.write_text(text)
            print(f"wrote {path.relative_to(root)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
