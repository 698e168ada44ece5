"""The log as values: one JSON object per line, for dashboards and scripts.

What Caffe spreads over several lines is one object here. A displayed iteration becomes::

    {"event": "train", "seconds": 1.5, "iteration": 100, "loss": 0.21,
     "outputs": {"loss": 0.2}, "lr": 0.0099, "iterations_per_second": 53.1}

and a test of one net::

    {"event": "test", "seconds": 2.0, "iteration": 100, "net": 0, "outputs": {"accuracy": 0.97}}

to which ``show_per_class_result`` adds ``"classes": {"1": 0.75}``, average precisions by label.
Snapshots, clipped gradients, warnings and the like are objects of their own. Numbers that JSON
lacks are the strings "NaN", "Infinity" and "-Infinity". An output with several elements is a list.
"""

from __future__ import annotations

import json
import math
import threading
from pathlib import Path
from types import MappingProxyType
from typing import Any

from ir.errors import RoasteryError
from ir.printable import json_text

from .descriptors import AppendedLines
from .records import LogRecord, Severity

#: Events that open an object which later lines complete, and the name that it gets.
_OPENING = MappingProxyType({"iteration": "train", "testing_net": "test"})
#: Events that can come between the lines of one object without ending it.
_PASSING = frozenset({"learning_rate_step", "minimum_loss"})


class JsonLinesHandler:
    """Writes the events of a log to a file (``--log-json FILE``)."""

    def __init__(self, path: str | Path) -> None:
        """Create or replace ``path``. Raises RoasteryError if that is not possible."""
        self._path = path
        try:
            self._lines = AppendedLines(path, append=False)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise RoasteryError(f"cannot write the JSON log '{path}': {reason}") from error
        self._lock = threading.Lock()
        self._pending: dict[str, Any] | None = None
        self._start: float | None = None

    def __str__(self) -> str:
        return f"'{self._path}'"

    def handle(self, record: LogRecord) -> None:
        """Add a record to the object that it belongs to, and write what is complete.

        Raises OSError if that cannot be written.
        """
        with self._lock:
            if self._start is None:
                self._start = record.timestamp
            if record.event:
                self._add(record)
            elif record.severity is not Severity.INFO:
                entry = self._new("message", record)
                self._write({**entry, "severity": record.severity.name, "text": record.text})

    def close(self) -> None:
        """Write what is pending and close the file."""
        with self._lock:
            try:
                self._flush()
            finally:
                self._lines.close()

    def _add(self, record: LogRecord) -> None:
        pending, event, values = self._pending, record.event, record.values
        if event in _OPENING:
            self._flush()
            self._pending = {**self._new(_OPENING[event], record), **values}
        elif pending is not None and event == f"{pending['event']}_output":
            _add_output(pending.setdefault("outputs", {}), values["name"], values["value"])
        elif pending is not None and event == "test_loss" and pending["event"] == "test":
            pending["loss"] = values["loss"]
        elif event == "class_precision" and pending is not None and pending["event"] == "test":
            pending.setdefault("classes", {})[str(values["label"])] = values["precision"]
        elif event == "learning_rate" and _belongs(pending, values):
            assert pending is not None
            pending["lr"] = values["lr"]
            self._flush()
        else:
            if event not in _PASSING:
                self._flush()
            self._write({**self._new(event, record), **values})

    def _new(self, event: str, record: LogRecord) -> dict[str, Any]:
        assert self._start is not None
        return {"event": event, "seconds": round(record.timestamp - self._start, 6)}

    def _flush(self) -> None:
        pending, self._pending = self._pending, None
        if pending is not None:
            self._write(pending)

    def _write(self, entry: dict[str, Any]) -> None:
        text = json.dumps(_plain(entry), ensure_ascii=False, allow_nan=False)
        self._lines.write(json_text(text) + "\n")


def _belongs(pending: dict[str, Any] | None, values: Any) -> bool:
    return (
        pending is not None
        and pending["event"] == "train"
        and pending["iteration"] == values["iteration"]
    )


def _add_output(outputs: dict[str, Any], name: str, value: float) -> None:
    if name not in outputs:
        outputs[name] = value
    elif isinstance(outputs[name], list):
        outputs[name].append(value)
    else:
        outputs[name] = [outputs[name], value]


def _plain(value: Any) -> Any:
    """Turn numpy scalars, tuples, paths and non-finite numbers into what JSON has."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, Path):
        return str(value)
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value
