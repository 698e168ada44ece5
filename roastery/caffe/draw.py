"""``caffe.draw``: pictures of nets. Caffe: python/caffe/draw.py.

DOT and SVG need nothing; other formats need Graphviz or matplotlib.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from frontends.prototxt import Message, from_protobuf
from frontends.upgrade import upgrade_net
from ir.errors import RoasteryError

from ..files.atomic_file import atomic_write
from .drawing.dot import graphviz_picture, to_dot
from .drawing.graph import Drawing, draw_graph
from .drawing.layout import lay_out
from .drawing.measures import measure
from .drawing.picture import to_picture
from .drawing.svg import to_svg
from .modes import PHASES

_DIRECTIONS = ("LR", "RL", "TB", "BT")
_TEXT = ("dot", "gv", "raw")


def draw_net(
    caffe_net: Any,
    rankdir: str = "LR",
    ext: str = "png",
    phase: Any = None,
    display_lrm: bool = False,
    *,
    display_shapes: bool = False,
    display_sizes: bool = False,
    shapes: Mapping[str, Sequence[int]] | None = None,
) -> bytes:
    """The bytes of a picture file of a net.

    Args:
        caffe_net: a NetParameter; old forms are upgraded.
        rankdir: the flow's direction: LR, RL, TB or BT.
        ext: the format: png, svg, dot (or raw: DOT text), pdf ...
        phase: ``caffe.TRAIN`` or ``caffe.TEST``: draw the layers of this phase; None: all.
        display_lrm: show the learning rate multipliers of layers that have some.
        display_shapes: show the shapes of blobs. display_sizes: how many parameters layers have,
            and how many products they add up. Then the net has to be one that could run.
        shapes: of inputs and of tops of data layers, where the net does not tell them.
    """
    more = _measured(display_shapes, display_sizes, shapes or {})
    drawing = _drawing(caffe_net, rankdir, phase, True, display_lrm, more)
    dot = to_dot(drawing, rankdir)
    if ext in _TEXT:
        return dot.encode()
    made = graphviz_picture(dot, ext)
    if made is not None:
        return made
    vertical = rankdir in ("TB", "BT")
    layout = lay_out(drawing, rankdir)
    if ext == "svg":
        return to_svg(drawing, layout, vertical).encode()
    return to_picture(drawing, layout, vertical, ext)


def draw_net_to_file(
    caffe_net: Any,
    filename: str | os.PathLike[str],
    rankdir: str = "LR",
    phase: Any = None,
    display_lrm: bool = False,
    **options: Any,
) -> None:
    """Write a picture of a net; the file's extension says the format. See :func:`draw_net`, which
    takes the other options."""
    extension = os.path.splitext(os.fspath(filename))[1].removeprefix(".").lower()
    if not extension:
        raise RoasteryError(
            f"'{os.fspath(filename)}' has no extension that says which kind of picture to write",
            hint="such as net.svg, net.png or net.dot",
        )
    picture = draw_net(caffe_net, rankdir, extension, phase, display_lrm, **options)
    with atomic_write(filename) as file:
        file.write(picture)


def get_pydot_graph(
    caffe_net: Any,
    rankdir: str,
    label_edges: bool = True,
    phase: Any = None,
    display_lrm: bool = False,
) -> Any:
    """The drawing as an object of pydot. Raises RoasteryError where pydot is not installed."""
    dot = to_dot(_drawing(caffe_net, rankdir, phase, label_edges, display_lrm), rankdir)
    try:
        pydot = importlib.import_module("pydot")
    except ImportError:
        raise RoasteryError(
            "pydot is not installed", hint="pip install pydot; draw_net does without it"
        ) from None
    graphs = pydot.graph_from_dot_data(dot)
    return graphs[0] if isinstance(graphs, list) else graphs


_More = Callable[[Message, Sequence[str]], dict[str, Any]]


def _measured(
    display_shapes: bool, display_sizes: bool, shapes: Mapping[str, Sequence[int]]
) -> _More:
    """What a drawing shows besides, of a net in some phases."""

    def more(net: Message, phases: Sequence[str]) -> dict[str, Any]:
        if not (display_shapes or display_sizes):
            return {}
        found = measure(net, phases, shapes)
        shown: dict[str, Any] = {"of_blob": found.of_blob} if display_shapes else {}
        return shown | ({"of_layer": found.of_layer} if display_sizes else {})

    return more


def _drawing(
    caffe_net: Any,
    rankdir: str,
    phase: Any,
    label_edges: bool,
    display_lrm: bool,
    more: _More = lambda net, phases: {},
) -> Drawing:
    if rankdir not in _DIRECTIONS:
        raise RoasteryError(f"rankdir is '{rankdir}'", hint=f"one of {', '.join(_DIRECTIONS)}")
    message = caffe_net if isinstance(caffe_net, Message) else from_protobuf(caffe_net)
    net, _ = upgrade_net(message, mixed=True)
    layers = [layer for layer in net.layer if phase is None or _in_phase(layer, phase)]
    phases = ("TRAIN", "TEST") if phase is None else (PHASES[phase],)
    return draw_graph(
        net.name, layers, label_edges=label_edges, rates=display_lrm, **more(net, phases)
    )


def _in_phase(layer: Message, phase: Any) -> bool:
    """Whether a layer is there in a phase, whatever levels and stages it asks for."""
    if phase not in PHASES:
        raise RoasteryError(f"phase is {phase!r}", hint="caffe.TRAIN, caffe.TEST or None")
    wanted = PHASES[phase]
    if layer.include:
        return any(not rule.has("phase") or rule.phase == wanted for rule in layer.include)
    return not any(rule.has("phase") and rule.phase == wanted for rule in layer.exclude)
