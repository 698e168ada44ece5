"""``roastery view``: a net as a page to look around in, and what the compiler makes of it."""
