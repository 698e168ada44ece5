"""A laid out drawing as a picture (PNG, PDF ...), by matplotlib."""

from __future__ import annotations

import io

from ir.errors import RoasteryError

from .graph import Drawing
from .layout import Arrangement, text_lines
from .svg import outline

_DPI = 100
_LARGEST = 30000.0
"""Pixels; beyond about 65000 matplotlib cannot draw, and memory runs out before."""


def to_picture(drawing: Drawing, layout: Arrangement, vertical: bool, extension: str) -> bytes:
    """The bytes of a picture file; large nets are scaled down to what can be drawn.

    Raises RoasteryError without matplotlib, and for a format that it does not know.
    """
    try:
        import matplotlib
    except ImportError:
        raise RoasteryError(
            f"writing {extension} needs matplotlib (or Graphviz), which is not installed",
            hint="pip install roastery[plot]; SVG and DOT files need neither",
        ) from None
    # A matplotlibrc in the working directory may ask for LaTeX, which each text remembers.
    with matplotlib.rc_context({"text.usetex": False}):
        return _picture(drawing, layout, vertical, extension)


def _picture(drawing: Drawing, layout: Arrangement, vertical: bool, extension: str) -> bytes:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.collections import LineCollection, PolyCollection
    from matplotlib.figure import Figure

    shrink = min(1.0, _LARGEST / max(layout.width, layout.height, 1.0))
    figure = Figure((layout.width * shrink / _DPI, layout.height * shrink / _DPI), dpi=_DPI)
    canvas = FigureCanvasAgg(figure)
    known = set(canvas.get_supported_filetypes()) - {"pgf"}  # which runs LaTeX on names
    if extension not in known:
        raise RoasteryError(
            f"cannot write pictures of the kind '{extension}'",
            hint=f"svg, dot, {', '.join(sorted(known))}",
        )
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_xlim(0, layout.width)
    axes.set_ylim(layout.height, 0)
    axes.axis("off")
    lines = LineCollection(
        [path.points for path in layout.paths],
        colors="black",
        linewidths=0.8,
        linestyles=["dashed" if path.arrow.back else "solid" for path in layout.paths],
        zorder=1,  # below the boxes, whose names they would cross out
    )
    axes.add_collection(lines)
    tips = PolyCollection([_tip(*path.points[-2:]) for path in layout.paths], facecolors="black")
    axes.add_collection(tips)
    corners = []
    for key, node in drawing.nodes.items():
        box = layout.boxes[key]
        if node.kind == "blob":
            corners.append(outline(box))
        else:
            x0, x1 = box.x - box.width / 2, box.x + box.width / 2
            y0, y1 = box.y - box.height / 2, box.y + box.height / 2
            corners.append([(x0, y0), (x1, y0), (x1, y1), (x0, y1)])
    colors = [node.color for node in drawing.nodes.values()]
    shapes = PolyCollection(corners, facecolors=colors, edgecolors="black", linewidths=0.8)
    axes.add_collection(shapes)
    size = 8 * shrink
    for key, node in drawing.nodes.items():
        text = "\n".join(text_lines(node, vertical))
        box = layout.boxes[key]
        axes.text(box.x, box.y, text, ha="center", va="center", size=size, parse_math=False)
    for path in layout.paths:
        if path.label is not None:
            x, y = path.label.x, path.label.y
            axes.text(
                x, y, path.arrow.label, ha="center", va="center", size=size * 0.8, parse_math=False
            )
    out = io.BytesIO()
    figure.savefig(out, format=extension, dpi=_DPI)
    return out.getvalue()


def _tip(before: tuple[float, float], end: tuple[float, float]) -> list[tuple[float, float]]:
    dx, dy = end[0] - before[0], end[1] - before[1]
    length = (dx * dx + dy * dy) ** 0.5 or 1.0
    dx, dy = dx / length * 8, dy / length * 8
    x, y = end[0] - dx, end[1] - dy
    return [end, (x - dy * 0.4, y + dx * 0.4), (x + dy * 0.4, y - dx * 0.4)]
