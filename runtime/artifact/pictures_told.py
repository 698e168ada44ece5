"""What a net does with pictures, in sentences for people."""

from __future__ import annotations

from collections.abc import Sequence

from runtime.pictures import Preprocessing

from .pictures import Pictures

_ORDERS = {(2, 1, 0): "blue, green, red", (0, 1, 2): "red, green, blue", (): "channels as they are"}
_MOST_NAMED = 4


def picture_sentences(pictures: Pictures) -> list[str]:
    """How pictures become the input, and what classes are called; none where nothing is said."""
    said = []
    if pictures.preprocessing is not None:
        said.append(
            f"pictures become '{pictures.preprocessing.input}': {_steps(pictures.preprocessing)}"
        )
    if pictures.labels:
        said.append(f"names of {len(pictures.labels)} classes: {_some(pictures.labels)}")
    return said


def _steps(rules: Preprocessing) -> str:
    if rules.image_size is None:
        steps = ["scaled to its size"]
    else:
        height, width = rules.image_size
        steps = [f"scaled to {height} x {width} (height, width), of which the middle"]
    swap = tuple(rules.channel_swap)
    steps.append(_ORDERS.get(swap) or f"channels {', '.join(map(str, swap))} of red, green, blue")
    steps.append(f"from 0 to {rules.raw_scale:g}")
    if rules.mean_image is not None:
        steps.append("less a mean picture")
    elif rules.mean:
        steps.append(f"less {', '.join(f'{value:g}' for value in rules.mean)}")
    else:
        steps.append("no mean")
    if rules.input_scale != 1:
        steps.append(f"times {rules.input_scale:g}")
    return "; ".join(steps)


def _some(labels: Sequence[str]) -> str:
    shown = [name[:40] or f"class {number}" for number, name in enumerate(labels[:_MOST_NAMED])]
    return ", ".join(shown) + (" ..." if len(labels) > _MOST_NAMED else "")
