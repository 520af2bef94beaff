"""Sweep files: from YAML to a checked, frozen Sweep."""
