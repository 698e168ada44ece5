"""Protobuf text format: parser, typed messages and printer."""

from __future__ import annotations

from .message import Message
from .note import Note
from .parser import parse_file, parse_text
from .printer import to_text

__all__ = ["Message", "Note", "parse_file", "parse_text", "to_text"]
