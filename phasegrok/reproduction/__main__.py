"""``python -m phasegrok.reproduction``."""

from phasegrok.reproduction import main

main()
