"""Reads a graph from its text, in a file or on standard input."""

from __future__ import annotations

import dataclasses
import sys

from ir.byte_size import byte_size
from ir.errors import RoasteryError
from ir.graph import Graph, Node
from ir.location import Location
from ir.text_reader import GraphTextError, parse_graph
from ir.verify import InvalidGraph, verify

from ..files.regular_file import open_regular

_MOST_TEXT = 64 << 20  # bytes; the training of a large net takes some hundred thousand


def read_graph(path: str) -> Graph:
    """The graph in a file; ``-`` is standard input.

    Raises RoasteryError, with the place in the text, for what is no graph or breaks a rule of the
    IR; OSError for a file that cannot be read.
    """
    name = "<stdin>" if path == "-" else path
    text = _read(path)
    if len(text) > _MOST_TEXT:
        raise RoasteryError(f"'{name}' is more than {byte_size(_MOST_TEXT)} of text: no graph")
    lines: dict[Node, int] = {}
    try:
        graph = parse_graph(text, lines)
    except GraphTextError as error:
        place = dataclasses.replace(error.location, file=name)
        raise RoasteryError(error.problem, location=place, hint=_hint(text)) from error
    try:
        verify(graph)
    except InvalidGraph as error:
        number = lines.get(error.node, 0) if error.node is not None else 0
        line = text.split("\n")[number - 1] if number else ""
        column = len(line) - len(line.lstrip()) + 1 if number else 0
        place = Location(name, number, column, text=line)
        raise RoasteryError(error.problem, location=place) from error
    return graph


def _read(path: str) -> str:
    """At most one byte more than a graph may have."""
    if path == "-":
        data = sys.stdin.buffer.read(_MOST_TEXT + 1)
    else:
        with open_regular(path) as file:
            data = file.read(_MOST_TEXT + 1)
    return data.decode("utf-8", "surrogateescape")


def _hint(text: str) -> str | None:
    if text.lstrip().startswith("graph "):
        return None
    return "`roastery compile NET --dump DIR` writes graphs (.ir)"
