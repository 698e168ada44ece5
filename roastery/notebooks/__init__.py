"""Notebooks without Jupyter: their code cells run in order, in one namespace."""
