"""Who takes part: their names, how each is started, and why one cannot be."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from . import opencv_environment

HERE = Path(__file__).resolve().parent
ROASTERY, ONNX_RUNTIME, OPENCV, PYTORCH = "Roastery", "ONNX Runtime", "OpenCV 4", "PyTorch"


@dataclass(frozen=True)
class Entry:
    """A contender in one of its settings.

    Attributes:
        name: of the contender. setting: what tells its processes apart; the fastest counts.
        arguments: of Python: a script and what it is told first.
        python: the interpreter; made where it has to be.
        missing: why it cannot take part; None if it can.
        trains: whether it can.
    """

    name: str
    script: str
    setting: str = ""
    python: Callable[[], Path] = lambda: Path(sys.executable)
    missing: Callable[[], str | None] = lambda: None
    trains: bool = False

    def command(self, *arguments: str) -> Sequence[str]:
        """``arguments``: those that all contenders take."""
        setting = (self.setting,) if self.setting else ()
        return (str(self.python()), str(HERE / self.script), *arguments, *setting)

    def __str__(self) -> str:
        return f"{self.name} ({self.setting})" if self.setting else self.name


def _needs(*modules: str) -> Callable[[], str | None]:
    def missing() -> str | None:
        lacking = [name for name in modules if importlib.util.find_spec(name) is None]
        return f"{', '.join(lacking)}: pip install 'roastery[bench]'" if lacking else None

    return missing


ENTRIES = (
    Entry(ROASTERY, "roastery_contender.py", trains=True),
    Entry(ONNX_RUNTIME, "onnxruntime_contender.py", missing=_needs("onnxruntime", "onnx")),
    Entry(
        OPENCV,
        "opencv_contender.py",
        python=opencv_environment.python,
        missing=opencv_environment.missing,
    ),
    *(
        Entry(PYTORCH, "pytorch_contender.py", setting, missing=_needs("torch"), trains=True)
        for setting in ("NCHW", "channels_last")
    ),
)
