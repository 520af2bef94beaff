"""Networks whose weights are known without training."""
