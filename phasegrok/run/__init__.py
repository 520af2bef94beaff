"""Run a sweep into its result folder."""
