"""What the report says first: sentences made of the tables by rules, and plots that carry them."""
