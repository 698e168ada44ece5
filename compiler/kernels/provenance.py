"""What a kernel's readable text says of it: what it computes, for which layers, how, and why so."""

from __future__ import annotations

import json
import re
import textwrap

from compiler.kernel import Config
from ir.location import Location
from ir.printable import printable
from ir.text import format_graph

from .nodes import KernelBody
from .placement import placement
from .task import Task

Section = tuple[str, list[str]]


def provenance(task: Task, kernel: KernelBody, *more: Section, with_options: bool = True) -> str:
    """``more``: what the target adds, after the rest. ``with_options``: what was asked of the
    compiler is told, too."""
    label = task.op.label + kernel.suffix
    location = task.node.location
    sections: list[Section] = [
        ("Used by", [f"{label}  {location}" if location != Location() else label]),
        ("Layers", _layers(task)),
        ("Computes", format_graph(task.op.body).rstrip().splitlines()),
        ("Schedule", [f"{task.op.schedule}: {kernel.name}", kernel.why, *placement(task.op)]),
        *([("Options", _options(task))] if with_options else []),
        *more,
    ]
    text = f"{label}: a kernel made by Roastery.\n"
    for title, lines in sections:
        text += f"\n{title}\n" + "".join(f"    {line}\n" for line in lines)
    return text


def tiles_of(config: Config) -> str:
    """The configuration of a GPU's kernel."""
    constants = " ".join(f"{name}={value}" for name, value in config.constants)
    return f"{constants}, {config.num_warps} warps, {config.num_stages} stages"


def function_name(task: Task, kernel: KernelBody) -> str:
    """After the group."""
    label = task.op.label + kernel.suffix
    name = re.sub(r"\W+", "_", label, flags=re.ASCII).strip("_") or kernel.name
    return name if not name[0].isdigit() else f"{kernel.name}_{name}"


def _options(task: Task) -> list[str]:
    return [f"{name}: {json.dumps(value)}" for name, value in task.options.json().items()]


def _layers(task: Task) -> list[str]:
    """The layers in the group: their places, and their prototxt where it is known."""
    places = dict.fromkeys(n.location for n in task.op.body.nodes)
    lines = []
    for place in places:
        shown = textwrap.wrap(place.text.strip(), 88, break_long_words=False)
        name, file = printable(place.layer), printable(place.file)
        lines.append(f"{name or '-'}  {file or '-'}:{place.line}")
        lines += [f"    {printable(line)}" for line in shown]
    return lines
