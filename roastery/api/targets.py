"""Targets that an export is for."""

from __future__ import annotations

from compiler.target import Target

ANY_CPU = Target("cpu", "any CPU")
"""A CPU of which nothing is known: what runs there has no kernels."""
