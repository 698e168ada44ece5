"""Executors: what each does for a graph (``Backend``), and those that run on numpy."""
