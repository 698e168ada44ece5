"""Source of Python 2 to source of Python 3, line by line."""
