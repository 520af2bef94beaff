"""``python -m phasegrok.sweep FILE ...``: the same as ``phasegrok sweep FILE ...``."""

from phasegrok.cli.main import main

main()
