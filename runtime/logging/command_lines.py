"""What the commands train, test and time say around the work. Caffe: tools/caffe.cpp."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from .numbers import LoggedNumber, as_float32, format_number
from .records import CaffeLine
from .solver_lines import output_text
from .writer import LineWriter

LoggedCommand = Literal["train", "test", "time"]

_USE_CPU = {"train": 197, "test": 275, "time": 343}
_USE_GPU = {"test": 266, "time": 339}

_LAYER_TIME = {"forward": 400, "backward": 403}


@dataclass(frozen=True, slots=True)
class LayerTime:
    """Mean milliseconds of a layer per iteration. ``multiply_adds``: what it has to do in it."""

    layer: str
    step: Literal["forward", "backward"]
    milliseconds: LoggedNumber
    multiply_adds: int = 0

    @property
    def gflops(self) -> float | None:
        """10^9 operations a second, a multiply-add counted as two; None where there are none."""
        if not (self.multiply_adds and self.milliseconds):
            return None
        return 2e-6 * self.multiply_adds / float(self.milliseconds)


def _tool(line: int) -> CaffeLine:
    return CaffeLine("caffe.cpp", line)


class CommandLines(LineWriter):
    """One method per line, grouped by command."""

    def use_cpu(self, command: LoggedCommand = "train") -> None:
        """The run stays on the CPU."""
        self.write(_tool(_USE_CPU[command]), "Use CPU.")

    def use_gpu(self, device: int, command: LoggedCommand = "train") -> None:
        """The run uses one GPU."""
        if command == "train":
            self.write(_tool(204), f"Using GPUs {device}")
        else:
            self.write(_tool(_USE_GPU[command]), f"Use GPU with device ID {device}")

    # train

    def resuming_from(self, snapshot: str) -> None:
        """A solver state will be restored."""
        self.write(_tool(235), f"Resuming from {snapshot}", "resuming", {"path": snapshot})

    def starting_optimization(self) -> None:
        """Everything is ready."""
        self.write(_tool(239), "Starting Optimization")

    def train_done(self) -> None:
        """The command ends well; comes after the solver's own "Optimization Done."."""
        self.write(_tool(250), "Optimization Done.")

    # test

    def running_for(self, iterations: int) -> None:
        """The number of batches to test."""
        self.write(_tool(281), f"Running for {iterations} iterations.")

    def batch_output(self, batch: int, name: str, value: LoggedNumber) -> None:
        """One element of an output for one batch."""
        text = f"Batch {batch}, {output_text(name, value)}"
        values = {"batch": batch, "name": name, "value": float(value)}
        self.write(_tool(304), text, "batch_output", values)

    def mean_loss(self, loss: LoggedNumber) -> None:
        """The mean loss over all batches."""
        text = f"Loss: {format_number(as_float32(loss))}"
        self.write(_tool(309), text, "mean_loss", {"loss": float(loss)})

    def mean_output(self, name: str, value: LoggedNumber, loss_weight: LoggedNumber = 0.0) -> None:
        """The mean of one element of an output over all batches."""
        values = {"name": name, "value": float(value)}
        self.write(_tool(321), output_text(name, value, loss_weight), "mean_output", values)

    # time

    def performing_forward(self) -> None:
        """The first forward, not timed."""
        self.write(_tool(351), "Performing Forward")

    def initial_loss(self, loss: LoggedNumber) -> None:
        """The loss of the first forward."""
        self.write(_tool(356), f"Initial loss: {format_number(as_float32(loss))}")

    def performing_backward(self) -> None:
        """The first backward, not timed."""
        self.write(_tool(357), "Performing Backward")

    def benchmark_begins(self, iterations: int) -> None:
        """The timed iterations begin."""
        self.write(_tool(365), "*** Benchmark begins ***")
        self.write(_tool(366), f"Testing for {iterations} iterations.")

    def iteration_time(self, iteration: int, milliseconds: LoggedNumber) -> None:
        """One timed iteration, counted from 1. Caffe shows whole milliseconds."""
        text = f"Iteration: {iteration} forward-backward time: {format_number(milliseconds)} ms."
        values = {"iteration": iteration, "milliseconds": float(milliseconds)}
        self.write(_tool(394), text, "iteration_time", values)

    def layer_times(self, times: Sequence[LayerTime], peak: float = 0.0) -> None:
        """In file order, forward before backward. Caffe shows no rates.

        Args:
            peak: operations a second that the device can do; 0 where it is not known.
        """
        self.write(_tool(397), "Average time per layer: ")
        for time in times:
            text = f"{time.layer:>10}\t{time.step}: {format_number(time.milliseconds)} ms."
            values = {
                "layer": time.layer,
                "pass": time.step,
                "milliseconds": float(time.milliseconds),
            }
            if time.gflops is not None:
                values["gflops"] = time.gflops
                text += f" {time.gflops:.3g} GFLOP/s"
                if peak:
                    values["of_peak"] = 1e9 * time.gflops / peak
                    text += f", {1e9 * time.gflops / peak:.0%} of peak"
            self.write(_tool(_LAYER_TIME[time.step]), text, "layer_time", values)

    def benchmark_ends(
        self, forward: LoggedNumber, backward: LoggedNumber, both: LoggedNumber, total: LoggedNumber
    ) -> None:
        """Mean milliseconds of a forward, a backward, an iteration; and the total."""
        lines = (
            (408, "Average Forward pass", forward),
            (410, "Average Backward pass", backward),
            (412, "Average Forward-Backward", both),
            (414, "Total Time", total),
        )
        for line, words, value in lines:
            self.write(_tool(line), f"{words}: {format_number(value)} ms.")
        self.write(
            _tool(415),
            "*** Benchmark ends ***",
            "benchmark",
            {
                "forward_ms": float(forward),
                "backward_ms": float(backward),
                "iteration_ms": float(both),
                "total_ms": float(total),
            },
        )
