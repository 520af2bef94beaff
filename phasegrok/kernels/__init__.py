"""Hand-written accelerator kernels: one family's gradient, without its activations in memory."""
