"""Modules of the standard library as Python 2 had them, for rewritten code alone."""
