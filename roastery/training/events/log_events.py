"""The numbers of a log as events for TensorBoard."""

from __future__ import annotations

import contextlib
import threading
from typing import Any

from runtime.logging.records import LogRecord
from runtime.solver.solver import Solver

from ..pace import inputs_per_iteration
from .event_file import EventFile

_WITHOUT_DISPLAY = 200
"""Losses that a run shows which displays none."""

_TAKEN = (
    "loss",
    "learning_rate",
    "iterations_per_second",
    "images_per_second",
    "gradient_norm",
    "loss_scale",
)
"""Names under ``train`` that no output has."""


class LogEvents:
    """A handler of the log: losses, outputs, rates and what tests say, by iteration.

    Tags are ``train/loss`` (the displayed loss), ``train/OUTPUT``, ``train/learning_rate``,
    ``test/OUTPUT``, for further test nets ``test1/OUTPUT``; of outputs with several values
    ``test/OUTPUT/0``. An output of the train net that is called ``loss`` is
    ``train/output/loss``: ``average_loss`` does not smooth it.
    """

    def __init__(self, file: EventFile, solver: Solver) -> None:
        self._file = file
        self._solver = solver
        self._lock = threading.Lock()
        self._step = solver.iteration
        self._room = "train"
        self._outputs: dict[str, list[float]] = {}  # shown together, of which all have not come
        self._failed: OSError | None = None
        if not solver.config.display:
            solver.on_update.append(self._undisplayed)

    def __str__(self) -> str:
        return f"'{self._file.folder}'"

    def handle(self, record: LogRecord) -> None:
        """Write what a record says in numbers. Raises OSError."""
        with self._lock:
            if record.event in ("train_output", "test_output"):
                values = self._outputs.setdefault(record.values["name"], [])
                values.append(record.values["value"])
            else:
                self._write(record)
            if self._failed is not None:
                raise self._failed  # a record without numbers is no sign that all is well again

    def _write(self, record: LogRecord) -> None:
        try:
            self._put_outputs()
            take = getattr(self, f"_see_{record.event}", None) if record.event else None
            if take is not None:
                take(**record.values)
        except OSError as error:
            self._failed = error

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._put_outputs()
            self._file.close()

    # --- events of the log, by their names ----------------------------------------------

    def _see_iteration(self, iteration: int, loss: float, iterations_per_second: float) -> None:
        self._begin("train", iteration)
        self._put("loss", loss)
        if iterations_per_second:
            self._put("iterations_per_second", iterations_per_second)
            if inputs := inputs_per_iteration(self._solver):
                self._put("images_per_second", iterations_per_second * inputs)

    def _see_final(self, iteration: int, loss: float) -> None:
        self._begin("train", iteration)
        self._put("loss", loss)

    def _see_learning_rate(self, iteration: int, lr: float) -> None:
        self._file.scalar("train/learning_rate", iteration, lr)

    def _see_testing_net(self, iteration: int, net: int) -> None:
        self._begin(f"test{net}" if net else "test", iteration)

    def _see_test_loss(self, loss: float) -> None:
        self._put("test_loss", loss)

    def _see_class_precision(self, label: int, precision: float) -> None:
        self._put(f"class{label}", precision)

    def _see_clip_gradients(self, norm: float, limit: float, factor: float) -> None:
        self._file.scalar("train/gradient_norm", self._solver.iteration, norm)

    def _see_loss_scale(self, iteration: int, skipped: bool, scale: float) -> None:
        self._file.scalar("train/loss_scale", iteration, scale)

    # ------------------------------------------------------------------------------------

    def _begin(self, room: str, step: int) -> None:
        self._room, self._step = room, step

    def _put(self, name: str, value: Any) -> None:
        self._file.scalar(f"{self._room}/{name}", self._step, float(value))
        self._failed = None

    def _put_outputs(self) -> None:
        outputs, self._outputs = self._outputs, {}
        for name, values in outputs.items():
            shown = f"output/{name}" if self._room == "train" and name in _TAKEN else name
            for number, value in enumerate(values):
                self._put(f"{shown}/{number}" if len(values) > 1 else shown, value)

    def _undisplayed(self) -> None:
        """Losses and rates of a solver whose ``display`` is 0."""
        solver = self._solver
        every = max(1, solver.config.max_iter // _WITHOUT_DISPLAY)
        step = solver.iteration - 1
        if step % every:
            return
        with self._lock, contextlib.suppress(OSError):  # of which the log tells at its next line
            self._file.scalar("train/loss", step, float(solver.smoothed.value))
            self._file.scalar("train/learning_rate", step + 1, solver.coming_rate)
