"""Training: from sharp photos to a model folder. Needs the `train` extra."""
