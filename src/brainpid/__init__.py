"""Multimodal brain age, and how much each modality knows about it alone, together or redundantly."""

from importlib.metadata import version

__version__ = version("brainpid")
