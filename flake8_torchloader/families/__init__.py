"""What the rules of one family share: what is known of their matter, and how runs show it."""
