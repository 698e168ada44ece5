"""What rewritten code finds where Python 3 has nothing, or something else, under a name."""
