"""From a sweep to runs, programs and chunks."""
