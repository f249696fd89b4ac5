"""Networks: architectures in PyTorch, for training and export only."""
