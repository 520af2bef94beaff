"""Training: the pure step, and the engine that compiles and maps it."""
