"""The words: findings and verdicts in, text out; nothing is printed here."""
