"""Networks that are trained already: saved weights and their mixture."""
