"""Nets in the forms that they leave in, beside the compiled net."""
