"""Restoring: NumPy, Pillow and ONNX Runtime only."""
