"""The other files of the same project, as far as a question leads into them."""
