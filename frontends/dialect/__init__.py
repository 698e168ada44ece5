"""Forks whose files have other field numbers: which there are, and which one is meant."""

from __future__ import annotations

from .choice import asked_dialect, set_dialect
from .dialect import Dialect
from .known import dialects, find_dialect
from .meaning import write_out
from .messages import dialect_pb2
from .recognise import recognised

__all__ = [
    "Dialect",
    "asked_dialect",
    "dialect_pb2",
    "dialects",
    "find_dialect",
    "recognised",
    "set_dialect",
    "write_out",
]
