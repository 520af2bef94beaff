"""The result folder and its tables."""
