"""A drawing as DOT text, and pictures made of that by Graphviz where it is installed."""

from __future__ import annotations

import shutil
import subprocess

from ir.errors import RoasteryError
from ir.printable import printable

from .graph import Drawing, DrawnNode

_SHAPES = {"layer": "box", "in_place": "box", "blob": "octagon"}


def to_dot(drawing: Drawing, rankdir: str) -> str:
    """DOT text. ``rankdir``: LR, RL, TB or BT."""
    between = "\\n" if rankdir in ("LR", "RL") else " "
    lines = [f"digraph {_quoted(drawing.name)} {{", f"  rankdir={rankdir};"]
    for node in drawing.nodes.values():
        lines.append(f"  {_quoted(node.key)} [{_look(node, between)}];")
    for arrow in drawing.arrows:
        label = f" [label={_quoted(arrow.label)}]" if arrow.label else ""
        lines.append(f"  {_quoted(arrow.tail)} -> {_quoted(arrow.head)}{label};")
    return "\n".join([*lines, "}", ""])


def _look(node: DrawnNode, between: str) -> str:
    label = between.join(_escaped(line) for line in node.lines)
    return f'label="{label}", shape={_SHAPES[node.kind]}, style=filled, fillcolor="{node.color}"'


def _escaped(text: str) -> str:
    return printable(text).replace("\\", "\\\\").replace('"', '\\"')


def _quoted(text: str) -> str:
    return f'"{_escaped(text)}"'


def graphviz_picture(dot: str, extension: str) -> bytes | None:
    """What Graphviz's ``dot`` makes of DOT text; None where it is not installed.

    Raises RoasteryError for a format that it does not know.
    """
    program = shutil.which("dot")
    if program is None:
        return None
    done = subprocess.run(
        [program, f"-T{extension}"], input=dot.encode(), capture_output=True, check=False
    )
    if done.returncode:
        reason = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise RoasteryError(f"dot cannot write {extension}: {reason[0] if reason else 'it failed'}")
    return done.stdout
