"""Functional MRI."""
