"""The door of the command `torchloader`."""
