"""How bytes get on and off disk: whole, checked, and by one process at a time. Knows nothing of
sweeps."""
