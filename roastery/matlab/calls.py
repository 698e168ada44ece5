"""The one function that MATLAB calls, through whichever bridge, and the commands that it knows."""

from __future__ import annotations

import contextlib
import sys
import traceback
from collections.abc import Callable
from typing import Any

from ir.errors import RoasteryError

from . import blob_commands, file_commands, mode_commands, net_commands, solver_commands
from .arguments import MexArguments
from .results import Result, utf8

MexCommand = Callable[[MexArguments], Result]

COMMANDS: dict[str, MexCommand] = {
    **mode_commands.COMMANDS,
    **net_commands.COMMANDS,
    **solver_commands.COMMANDS,
    **blob_commands.COMMANDS,
    **file_commands.COMMANDS,
}


def call_command(command: tuple[Any, ...], *arguments: tuple[Any, ...]) -> tuple[Any, ...]:
    """Run a command with arguments as :class:`MexArguments` describes them.

    Returns ``(b"ok", result)``, or ``(b"error", identifier, message)``, or ``(b"interrupted",)``
    after SIGINT. It raises nothing, unless the signal comes in its last moment.
    """
    try:
        return b"ok", _run(command, arguments)
    except KeyboardInterrupt:
        return (b"interrupted",)
    except RoasteryError as error:
        return b"error", b"Roastery:error", utf8(_with_notes(str(error), error))
    except MemoryError as error:
        return b"error", b"Roastery:memory", utf8(f"there is not enough memory: {error}")
    except BaseException as error:
        return b"error", b"Roastery:python", utf8(_told(error))
    finally:
        for stream in (sys.stdout, sys.stderr):  # MATLAB's own lines come after ours
            with contextlib.suppress(OSError, ValueError, AttributeError):
                stream.flush()


def _run(command: tuple[Any, ...], arguments: tuple[tuple[Any, ...], ...]) -> Result:
    name = MexArguments("call", [command]).text(0)
    handler = COMMANDS.get(name)
    if handler is None:
        raise RoasteryError(f"there is no command '{name}'")
    return handler(MexArguments(name, arguments))


def _told(error: BaseException) -> str:
    """An exception that is not ours, a Python layer's say: what it says, and from where it came."""
    said = "".join(traceback.format_exception_only(error)).rstrip("\n")
    frames = traceback.extract_tb(error.__traceback__)
    if not frames:
        return said
    last = frames[-1]
    return f"{said}\n  raised at {last.filename}:{last.lineno}, in {last.name}"


def _with_notes(text: str, error: BaseException) -> str:
    return "\n".join([text, *getattr(error, "__notes__", ())])
