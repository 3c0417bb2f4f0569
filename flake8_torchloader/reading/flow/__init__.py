"""The flow of values: what an expression may be, what it holds, and where its line runs."""
