"""Solvers from files, and the snapshots that they write."""
