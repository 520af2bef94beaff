"""Measurements of a network: pure functions of its weights and outputs."""
