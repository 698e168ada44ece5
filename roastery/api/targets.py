"""Targets that an export is for."""

from __future__ import annotations

from compiler.target import Target

ANY_CPU = Target("cpu", "any CPU")
"""A CPU of which nothing is known: what runs there has no kernels."""

PLANNED_THREADS = 4
"""What is exported for CPUs is planned for so many, whatever the machine or its environment says:
the same net gives the same bytes. It runs by any number, with the same results."""
