"""The readable file of a kernel: what it computes, for which layers, how, and why so.

The file runs by itself: it compares its kernel with the reference on random inputs (see
:mod:`roastery.kernel_check`, which reads the sections of the docstring).
"""

from __future__ import annotations

import json
import re
import textwrap

from compiler.kernel import Config
from compiler.kernels.nodes import KernelBody
from compiler.kernels.task import Task
from ir.graph import Graph
from ir.location import Location
from ir.ops.fusion import Fused
from ir.printable import printable
from ir.text import format_graph

from .function import IMPORTS, function
from .helpers import source_of
from .text import print_body


def readable_file(task: Task, kernel: KernelBody) -> str:
    label = task.label + kernel.suffix
    entry = re.sub(r"\W+", "_", label, flags=re.ASCII).strip("_") or kernel.name
    entry = entry if not entry[0].isdigit() else f"{kernel.name}_{entry}"
    body = print_body(kernel, readable=True)
    sections = [
        ("Used by", [_use(label, task.node.location)]),
        ("Layers", _layers(task)),
        ("Computes", format_graph(_group(task)).rstrip().splitlines()),
        ("Schedule", [f"{task.schedule}: {kernel.name}", kernel.why]),
        ("Options", _options(task)),
        ("Tiles", [_config(kernel.config)]),
    ]
    text = f"{label}: a kernel made by Roastery.\n"
    for title, lines in sections:
        text += f"\n{title}\n" + "".join(f"    {line}\n" for line in lines)
    text += "\nRun this file to compare the kernel with the reference on random inputs.\n"
    text = _in_docstring(text)
    return (
        f'"""{text}"""\n\n{IMPORTS}{source_of(body.helpers)}\n\n{function(kernel, body, entry)}\n\n'
        'if __name__ == "__main__":\n'
        "    from roastery.kernel_check import main\n\n"
        "    main(__file__)\n"
    )


def _in_docstring(text: str) -> str:
    """As it stands in a docstring: names of layers must not end it."""
    return text.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')


def _group(task: Task) -> Graph:
    """The group as it was given (a schedule may have rewritten what it prints)."""
    assert isinstance(task.node.op, Fused)
    return task.node.op.body


def _use(label: str, location: Location) -> str:
    return f"{label}  {location}" if location != Location() else label


def _layers(task: Task) -> list[str]:
    """The layers in the group: their places, and their prototxt where it is known."""
    places = dict.fromkeys(n.location for n in _group(task).nodes)
    lines = []
    for place in places:
        shown = textwrap.wrap(place.text.strip(), 88, break_long_words=False)
        name, file = printable(place.layer), printable(place.file)
        lines.append(f"{name or '-'}  {file or '-'}:{place.line}")
        lines += [f"    {printable(line)}" for line in shown]
    return lines


def _options(task: Task) -> list[str]:
    """What this was compiled by, to be read again."""
    return [f"{name}: {json.dumps(value)}" for name, value in task.options.json().items()]


def _config(config: Config) -> str:
    constants = " ".join(f"{name}={value}" for name, value in config.constants)
    return f"{constants}, {config.num_warps} warps, {config.num_stages} stages"
