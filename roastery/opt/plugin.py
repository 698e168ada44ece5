"""Python files of the user's that register passes: ``--plugin FILE``."""

from __future__ import annotations

import importlib.util
import sys
import traceback
from pathlib import Path

from ir.errors import RoasteryError

from ..files.regular_file import check_regular


def load_plugin(path: str) -> None:
    """Run a Python file.

    Raises RoasteryError for whatever it raises; OSError if it cannot be read.
    """
    check_regular(path)
    file = Path(path).resolve()
    spec = importlib.util.spec_from_file_location(f"roastery_plugin_{file.stem}", file)
    if spec is None or spec.loader is None:
        raise RoasteryError(f"'{path}' is no Python file", hint="its name must end with .py")
    # Dataclasses look their module up.
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        raise RoasteryError(
            f"the plugin '{path}' cannot be loaded: {type(error).__name__}: {error}",
            detail="".join(traceback.format_list(_own_frames(error, file))).rstrip(),
        ) from error


def _own_frames(error: BaseException, file: Path) -> list[traceback.FrameSummary]:
    frames = traceback.extract_tb(error.__traceback__)
    return [frame for frame in frames if frame.filename == str(file)]
