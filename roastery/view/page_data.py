"""All that a page shows of a net, as data: plain lists, numbers and texts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from frontends.prototxt import Message, to_text
from frontends.state_rules import filtered
from ir.program import NetProgram, shown_blob
from roastery._version import __version__

from ..building import LoweredNet
from ..caffe.drawing.graph import layer_lines
from ..counting import LayerCount, NetCount, count_net
from ..devices.compile_options import CompileRequest, device_options, kernel_options
from .blocks import find_blocks
from .compiled_view import compiled_view
from .net_graph import layer_graph
from .texts import PageTexts

OPEN_AT_FIRST = 120
"""So many nodes, and no more, are drawn before somebody opens blocks."""


@dataclass(frozen=True)
class PageRequest:
    """What a page is asked to show besides the net.

    Attributes:
        targets: whose kernels: "cpu" (C), "gpu" (Triton).
        backward: None: as the phase and the net say.
    """

    targets: Sequence[str] = ("cpu", "gpu")
    backward: bool | None = None


def page_data(lowered: LoweredNet, asked: PageRequest) -> dict[str, Any]:
    """Of a lowered net; nothing is run."""
    program, request = lowered.program, lowered.request
    counted, texts = count_net(program), PageTexts()
    messages = filtered(request.net, request.state).layer
    layers = [layer for layer in program.layers if layer.is_written]
    data = _net(program, counted) | {
        "layers": [
            _layer(count, message) for count, message in zip(counted.layers, messages, strict=True)
        ],
        "unrun": sorted(lowered.unrun),
    }
    data |= _graph(counted)
    data["compilers"] = [
        compiled_view(
            _TITLES[target], program, layers, _options(target), texts, backward=asked.backward
        )
        for target in asked.targets
    ]
    data["texts"] = texts.packed()
    return data


_TITLES = {"cpu": "CPU (C)", "gpu": "GPU (Triton)"}


def _options(target: str) -> Any:
    asked = CompileRequest()
    if target == "gpu":
        return kernel_options([], asked, _unsaid)
    from ..api.cpu_baselines import baseline_target

    return device_options(baseline_target(None), asked, _unsaid)


def _unsaid(remark: str) -> None:
    """What has no effect is told by the commands that run a net."""


def _net(program: NetProgram, counted: NetCount) -> dict[str, Any]:
    return {
        "name": counted.name,
        "phase": counted.phase,
        "version": __version__,
        "totals": counted.told()["totals"],
        "sizes": [] if program.sizes is None else list(program.sizes.sentences()),
        "openAtFirst": OPEN_AT_FIRST,
    }


def _layer(count: LayerCount, message: Message) -> dict[str, Any]:
    found = count.told()
    found["field"] = "" if count.field is None else str(count.field)
    found["note"] = " ".join(layer_lines(message)[2:])
    found["prototxt"] = (
        "layer {\n" + "".join(f"  {line}\n" for line in to_text(message).splitlines()) + "}\n"
    )
    return found


def _graph(counted: NetCount) -> dict[str, Any]:
    graph = layer_graph(counted.layers)
    names = [counted.layers[node.layers[0]].name for node in graph.nodes]
    kinds = [
        tuple(
            (each.type, each.bottoms, each.tops, each.parameters)
            for each in (counted.layers[number] for number in node.layers)
        )
        for node in graph.nodes
    ]
    ends = [(tail, head) for tail, head, _ in graph.edges]
    return {
        "nodes": [node.layers for node in graph.nodes],
        "edges": [[tail, head, shown_blob(blob)] for tail, head, blob in graph.edges],
        "blocks": [
            {"name": b.name, "nodes": b.nodes, "times": b.times, "blocks": b.blocks}
            for b in find_blocks(names, kinds, ends)
        ],
    }
