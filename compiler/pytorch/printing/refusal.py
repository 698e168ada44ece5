"""What cannot be written."""

from __future__ import annotations


class NotWritten(Exception):
    """Why a layer cannot: the start of a sentence's end."""
