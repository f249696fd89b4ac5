"""Measures models on photos and writes reports; no PyTorch."""
