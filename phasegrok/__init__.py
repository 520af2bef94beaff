"""phasegrok: phase diagrams of thousands of tiny trainings as one batched JAX program."""

__version__ = "0.1.0"
