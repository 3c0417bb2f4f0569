"""Find the hazards of PyTorch DataLoader worker processes in source code."""

__version__ = "0.1.0"
