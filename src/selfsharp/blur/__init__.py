"""Blur: its kinds, where it lies in a photo, and how it is made."""
