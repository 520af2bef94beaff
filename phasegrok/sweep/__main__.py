"""``python -m phasegrok.sweep FILE ...``: the same as ``phasegrok sweep FILE ...``."""

from phasegrok.cli.start import begin

begin()

from phasegrok.cli.main import main  # noqa: E402 - signals are heard before anything slow

main()
