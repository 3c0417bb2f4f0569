"""The tree of a file: parsed once, walked once, and noted as scopes, bindings and calls."""
