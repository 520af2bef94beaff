"""``python -m phasegrok.claims``."""

from phasegrok.claims import main

main()
