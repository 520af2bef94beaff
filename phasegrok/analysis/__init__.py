"""From tables to verdicts: phases, stages, critical sizes, and how sure each is."""
