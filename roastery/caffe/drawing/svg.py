"""A laid out drawing as SVG."""

from __future__ import annotations

from xml.sax.saxutils import escape

from .graph import Drawing
from .layout import LABEL_SIZE, Arrangement, Box, octagon_cut, text_lines


def to_svg(drawing: Drawing, layout: Arrangement, vertical: bool) -> str:
    """SVG text; ``vertical``: the flow runs up or down."""
    width, height = round(layout.width), round(layout.height)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" font-family="Helvetica, Arial, sans-serif" '
        'font-size="12">',
        f"<title>{escape(drawing.name)}</title>",
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" '
        'markerHeight="8" orient="auto"><path d="M0 0 L8 4 L0 8 z"/></marker></defs>',
        '<g fill="none" stroke="black" marker-end="url(#tip)">',
    ]
    for path in layout.paths:
        points = " ".join(f"{x:.1f},{y:.1f}" for x, y in path.points)
        dashed = ' stroke-dasharray="4 3"' if path.arrow.back else ""
        parts.append(f'<polyline points="{points}"{dashed} marker-end="url(#tip)"/>')
    parts.append("</g>")
    for path in layout.paths:
        if path.label is not None:
            parts.append(
                f'<text x="{path.label.x:.1f}" y="{path.label.y + 3.5:.1f}" '
                f'font-size="{LABEL_SIZE:.0f}" text-anchor="middle">'
                f"{escape(path.arrow.label)}</text>"
            )
    for key, node in drawing.nodes.items():
        box = layout.boxes[key]
        parts.append(_shape(box, node.kind == "blob", node.color))
        lines = text_lines(node, vertical)
        top = box.y - 7.5 * (len(lines) - 1) + 4
        parts += [
            f'<text x="{box.x:.1f}" y="{top + 15 * i:.1f}" text-anchor="middle">'
            f"{escape(line)}</text>"
            for i, line in enumerate(lines)
        ]
    return "\n".join([*parts, "</svg>", ""])


def _shape(box: Box, octagon: bool, color: str) -> str:
    if octagon:
        points = " ".join(f"{x:.1f},{y:.1f}" for x, y in outline(box))
        return f'<polygon points="{points}" fill="{color}" stroke="black"/>'
    return (
        f'<rect x="{box.x - box.width / 2:.1f}" y="{box.y - box.height / 2:.1f}" '
        f'width="{box.width:.1f}" height="{box.height:.1f}" fill="{color}" stroke="black"/>'
    )


def outline(box: Box) -> list[tuple[float, float]]:
    """The corners of a blob's octagon."""
    left, right = box.x - box.width / 2, box.x + box.width / 2
    top, bottom = box.y - box.height / 2, box.y + box.height / 2
    cut = octagon_cut(box.height)
    return [
        (left + cut, top),
        (right - cut, top),
        (right, top + cut),
        (right, bottom - cut),
        (right - cut, bottom),
        (left + cut, bottom),
        (left, bottom - cut),
        (left, top + cut),
    ]
