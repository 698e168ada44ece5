"""A picture of one or several training logs: loss, other outputs, and the learning rate.

Drawn with matplotlib into a file, on any machine: no window is opened. Where values stop being
finite, the picture says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ir.errors import RoasteryError
from ir.printable import printable

from ...files.missing import no_folder
from ..log_reader import read_log
from ..log_reader.lines import LOGGER
from .curves import Axis, Curve, Panels, collect_curves
from .drawing import draw
from .look import Look, shown_name
from .marks import find_marks

__all__ = ["EXTENSIONS", "Axis", "Curve", "Panels", "collect_curves", "plot_logs"]

#: File name extensions that can be written.
EXTENSIONS = (".png", ".svg", ".pdf")
#: Curves of a log of which is said that they stop being finite.
_TOLD = 10


def plot_logs(
    logs: Sequence[str | Path],
    output: str | Path,
    *,
    x: Axis = "iterations",
    title: str = "",
    log_x: bool = False,
    log_y: bool = False,
    smoothing: float = 0.0,
) -> Path:
    """Draw the logs into one picture; the extension of ``output`` decides its format.

    Args:
        x: the horizontal axis. log_x, log_y: whether it, and the axis of losses, is logarithmic.
        smoothing: of train curves, from 0 to below 1: each value weighs so much in the next
            (TensorBoard's slider). What is smoothed is still seen behind.

    Raises:
        RoasteryError: nothing to draw, an unknown extension, no matplotlib.
    """
    output = Path(output)
    if not 0 <= smoothing < 1:
        raise RoasteryError(f"a smoothing of {smoothing:g} cannot be: it is 0 or more, and below 1")
    if output.suffix.lower() not in EXTENSIONS:
        raise RoasteryError(
            f"cannot draw into '{output}': its name must end in {', '.join(EXTENSIONS)}"
        )
    if not output.parent.is_dir():
        raise no_folder(output, output.parent)
    named = {name: collect_curves(read_log(path)) for name, path in _names(logs).items()}
    for name, panels in named.items():
        if not any(panels.values()):
            raise RoasteryError(f"'{name}' holds no training or test output to draw")
        marks = find_marks(panels)
        for mark in marks[:_TOLD]:
            LOGGER.warning(
                "%s: %s is %s", printable(name), printable(shown_name(mark.label)), mark.text
            )
        if len(marks) > _TOLD:
            LOGGER.warning("%s: and so are %d more", printable(name), len(marks) - _TOLD)
    draw(named, Look(x, title, log_x, log_y, smoothing), output)
    return output


def _names(logs: Sequence[str | Path]) -> dict[str, Path]:
    """File names for the legend, or whole paths where two logs have the same name."""
    paths = [Path(log) for log in logs]
    short = [path.stem for path in paths]
    unique = len(set(short)) == len(short)
    return {(path.stem if unique else str(path)): path for path in paths}
