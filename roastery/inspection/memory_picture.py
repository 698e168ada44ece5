"""A plan's memory as a picture: steps to the right, addresses upwards, a rectangle for a buffer."""

from __future__ import annotations

import colorsys
import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple
from xml.sax.saxutils import escape

from compiler.plan.arena import aligned
from compiler.plan.memory import least_memory, lifetimes
from compiler.plan.plan import Plan
from ir.byte_size import byte_size
from ir.errors import RoasteryError
from ir.printable import printable
from roastery.files.atomic_file import atomic_write

_WIDTH, _HEIGHT = 1000.0, 520.0
_LEFT, _TOP, _BELOW = 90.0, 50.0, 50.0
_NAMED = 14.0  # height from which on a rectangle has room for a name
_LETTER = 6.2  # width
_MOST_DRAWN = 20_000


class Rectangle(NamedTuple):
    """A buffer in the picture, in pixels from its upper left corner."""

    x: float
    y: float
    width: float
    height: float
    color: str
    name: str
    told: str


def draw_memory(plan: Plan, name: str, output: str) -> None:
    """Write a picture; the ending of the name says its kind: .svg, or what matplotlib writes.

    Raises RoasteryError for another kind, without matplotlib, and where it cannot be written.
    """
    title = f"{name}: arena of {byte_size(plan.memory.nbytes)} in {len(plan.steps)} steps"
    note = f"at least {byte_size(least_memory(plan))} are in use at one time"
    drawn = list(_rectangles(plan))
    kind = Path(output).suffix.lower().removeprefix(".")
    if kind == "svg":
        data = _svg(drawn, plan, printable(title), note).encode()
    else:
        data = _picture(drawn, plan, printable(title), note, kind)
    try:
        with atomic_write(Path(output)) as file:
            file.write(data)
    except OSError as error:
        raise RoasteryError(f"cannot write {output}: {error.strerror}") from error


def _rectangles(plan: Plan) -> Iterator[Rectangle]:
    """Of all buffers; the largest ones where there are too many to be seen."""
    right = _WIDTH / max(len(plan.steps), 1)
    up = _HEIGHT / max(plan.memory.nbytes, 1)
    found = sorted(lifetimes(plan), key=lambda each: -each.size)[:_MOST_DRAWN]
    for place, each in enumerate(found):
        offset, size = plan.memory.offsets[each.id] or 0, aligned(each.size)
        name = printable(plan.buffers[each.id].name)
        yield Rectangle(
            _LEFT + each.first * right,
            _TOP + _HEIGHT - (offset + size) * up,
            (each.last + 1 - each.first) * right,
            size * up,
            _color(place),
            name,
            f"{name}: {plan.buffers[each.id].type}, {each.size} bytes at {offset}, steps "
            f"{each.first} to {each.last}",
        )


def _color(place: int) -> str:
    red, green, blue = colorsys.hls_to_rgb(place * 0.381966 % 1.0, 0.78, 0.55)
    return f"#{round(255 * red):02x}{round(255 * green):02x}{round(255 * blue):02x}"


def _shown(each: Rectangle) -> str:
    """As much of its name as there is room for."""
    letters = int((each.width - 6) / _LETTER)
    if each.height < _NAMED or letters < 3:
        return ""
    return each.name if len(each.name) <= letters else f"{each.name[: letters - 1]}…"


def _marks(plan: Plan) -> Iterator[tuple[float, str]]:
    """Heights of lines, and what they say."""
    for quarter in range(5):
        nbytes = plan.memory.nbytes * quarter // 4
        yield _TOP + _HEIGHT * (1 - quarter / 4), byte_size(nbytes)


def _svg(drawn: Sequence[Rectangle], plan: Plan, title: str, note: str) -> str:
    width, height = _LEFT + _WIDTH + 20, _TOP + _HEIGHT + _BELOW
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {width:.0f} {height:.0f}" font-family="Helvetica, Arial, sans-serif" '
        'font-size="11">',
        f"<title>{escape(title)}</title>",
        '<rect width="100%" height="100%" fill="white"/>',
        f'<text x="{_LEFT:.0f}" y="20" font-size="14">{escape(title)}</text>',
        f'<text x="{_LEFT:.0f}" y="38">{escape(note)}</text>',
    ]
    for y, text in _marks(plan):
        parts += [
            f'<line x1="{_LEFT}" x2="{_LEFT + _WIDTH}" y1="{y:.1f}" y2="{y:.1f}" stroke="#ccc"/>',
            f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{escape(text)}</text>',
        ]
    for each in drawn:
        parts.append(
            f'<g><title>{escape(each.told)}</title><rect x="{each.x:.2f}" y="{each.y:.2f}" '
            f'width="{each.width:.2f}" height="{each.height:.2f}" fill="{each.color}" '
            'stroke="#555" stroke-width="0.5"/>'
        )
        if shown := _shown(each):
            x, y = each.x + 3, each.y + each.height / 2 + 4
            parts.append(f'<text x="{x:.1f}" y="{y:.1f}">{escape(shown)}</text>')
        parts.append("</g>")
    steps = f"steps 0 to {max(len(plan.steps) - 1, 0)}"
    y = _TOP + _HEIGHT + 22
    parts.append(f'<text x="{_LEFT + _WIDTH / 2}" y="{y}" text-anchor="middle">{steps}</text>')
    return "\n".join([*parts, "</svg>", ""])


def _picture(drawn: Sequence[Rectangle], plan: Plan, title: str, note: str, kind: str) -> bytes:
    try:
        import matplotlib
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
        from matplotlib.patches import Rectangle as Patch
    except ImportError:
        raise RoasteryError(
            f"writing {kind or 'pictures'} needs matplotlib, which is not installed",
            hint="pip install roastery[plot]; .svg needs nothing",
        ) from None
    width, height = _LEFT + _WIDTH + 20, _TOP + _HEIGHT + _BELOW
    with matplotlib.rc_context({"text.usetex": False, "text.parse_math": False}):
        figure = Figure((width / 100, height / 100), dpi=100)
        canvas = FigureCanvasAgg(figure)
        known = set(canvas.get_supported_filetypes()) - {"pgf"}  # which runs LaTeX on names
        if kind not in known:
            raise RoasteryError(
                f"cannot write pictures of the kind '{kind}'", hint=", ".join(sorted(known))
            )
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set_xlim(0, width)
        axes.set_ylim(height, 0)
        axes.axis("off")
        axes.text(_LEFT, 20, title, fontsize=10)
        axes.text(_LEFT, 38, note, fontsize=8)
        for y, text in _marks(plan):
            axes.plot((_LEFT, _LEFT + _WIDTH), (y, y), color="#cccccc", linewidth=0.5, zorder=0)
            axes.text(_LEFT - 6, y + 4, text, fontsize=8, ha="right")
        for each in drawn:
            corner, edge = (each.x, each.y), "#555555"
            axes.add_patch(
                Patch(corner, each.width, each.height, fc=each.color, ec=edge, linewidth=0.4)
            )
            axes.text(each.x + 3, each.y + each.height / 2 + 4, _shown(each), fontsize=7)
        steps = f"steps 0 to {max(len(plan.steps) - 1, 0)}"
        axes.text(_LEFT + _WIDTH / 2, _TOP + _HEIGHT + 22, steps, fontsize=8, ha="center")
        stream = io.BytesIO()
        canvas.print_figure(stream, format=kind)
    return stream.getvalue()
