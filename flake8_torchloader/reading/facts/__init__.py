"""The facts that rules ask for: one reader for each kind of record."""
