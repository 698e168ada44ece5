"""Protobuf text format: parser, typed messages and printer."""

from __future__ import annotations

from .message import Message
from .note import Note
from .parser import parse_file, parse_text
from .printer import to_text
from .protobuf import from_protobuf, to_protobuf

__all__ = [
    "Message",
    "Note",
    "from_protobuf",
    "parse_file",
    "parse_text",
    "to_protobuf",
    "to_text",
]
