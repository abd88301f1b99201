"""Diffusion MRI."""
