"""What readers of databases raise for files that are damaged, cut off or something else."""

from __future__ import annotations


class DatabaseError(ValueError):
    """A database's files cannot be trusted; the message says what is wrong with which."""
