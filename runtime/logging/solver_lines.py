"""What a solver says while it trains and tests.

Caffe: src/caffe/solver.cpp, src/caffe/solvers/sgd_solver.cpp.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from .numbers import LoggedNumber, as_float32, format_number
from .records import CaffeLine, Severity
from .writer import LineWriter

SnapshotFormat = Literal["BINARYPROTO", "HDF5"]

#: Where the train net was given: (how the line says it, Caffe's line number).
_TRAIN_NET = {
    "train_net_param": ("specified in train_net_param.", 88),
    "train_net": ("from train_net file: ", 92),
    "net_param": ("specified in net_param.", 97),
    "net": ("from net file: ", 102),
}

#: Policies that tell their steps: (Caffe's line number, or SSD's, and how the line begins).
_STEPS = {"multistep": (50, "MultiStep"), "plateau": (76, "Plateau")}


def _solver(line: int) -> CaffeLine:
    return CaffeLine("solver.cpp", line)


def _sgd(line: int) -> CaffeLine:
    return CaffeLine("sgd_solver.cpp", line)


@dataclass(frozen=True, slots=True)
class NetOutput:
    """One output blob of a net: its elements, and its weight in the loss (0 for none)."""

    name: str
    values: tuple[float, ...]
    loss_weight: float = 0.0


def output_text(name: str, value: LoggedNumber, loss_weight: LoggedNumber = 0.0) -> str:
    """``loss = 0.21 (* 1 = 0.21 loss)``; outputs without loss weight lack the second part."""
    text = f"{name} = {format_number(as_float32(value))}"
    if loss_weight:
        share = as_float32(as_float32(loss_weight) * as_float32(value))
        text += f" (* {format_number(as_float32(loss_weight))} = {format_number(share)} loss)"
    return text


def _elements(outputs: Iterable[NetOutput]) -> Iterator[tuple[str, float, float]]:
    """(name, value, loss weight) of every element of every output."""
    for output in outputs:
        for value in output.values:
            yield output.name, value, output.loss_weight


class SolverLines(LineWriter):
    """Lines of the solver, in the order in which a run writes them."""

    def initializing_solver(self, solver_text: str) -> None:
        """``solver_text``: the solver parameters as prototxt."""
        self.write(_solver(45), "Initializing solver from parameters: ", body=solver_text)

    def creating_training_net(self, field: str, file: str = "") -> None:
        """``field``: the solver's field that gave the net; ``file`` for those that name one."""
        words, line = _TRAIN_NET[field]
        self.write(_solver(line), f"Creating training net {words}{file}")

    def creating_test_net(self, index: int, specified_by: str) -> None:
        """``specified_by``: such as ``net file: lenet.prototxt`` or ``test_net_param``."""
        self.write(_solver(190), f"Creating test net (#{index}) specified by {specified_by}")

    def snapshot_prefix_set(self, prefix: str, *, was_directory: bool = False) -> None:
        """The solver file gave no prefix, or a directory."""
        if was_directory:
            source, words = (
                CaffeLine("upgrade_proto.cpp", 1113),
                "was a directory and is replaced to",
            )
        else:
            source, words = CaffeLine("upgrade_proto.cpp", 1108), "was not specified and is set to"
        self.write(source, f"snapshot_prefix {words} {prefix}")

    def finetuning_from(self, weights: str) -> None:
        """Weights are copied into the nets before training."""
        self.write(_solver(72), f"Finetuning from {weights}", "finetuning", {"path": weights})

    def scaffolding_done(self) -> None:
        """All nets exist."""
        self.write(_solver(57), "Solver scaffolding done.")

    def restoring_history(self) -> None:
        """A binary solver state is being read. (Of HDF5 states Caffe says nothing.)"""
        self.write(_sgd(336), "SGDSolver: restoring history")

    def solving(self, net_name: str, lr_policy: str) -> None:
        """The start of the loop. Log readers count the seconds from the first of these lines."""
        self.write(
            _solver(289), f"Solving {net_name}", "solving", {"net": net_name, "policy": lr_policy}
        )
        self.write(_solver(290), f"Learning Rate Policy: {lr_policy}")

    def iteration(
        self,
        iteration: int,
        loss: LoggedNumber,
        *,
        done: int,
        seconds: LoggedNumber,
        display: int,
    ) -> None:
        """A displayed iteration.

        Args:
            loss: the loss, averaged over ``average_loss`` iterations.
            done: iterations since the last such line (0 for the first of a run).
            seconds: time since the last such line.
            display: the solver's ``display``.
        """
        seconds = as_float32(seconds)
        rate = as_float32(done / (seconds or 1.0))
        self.write(
            _solver(239),
            f"Iteration {iteration} ({format_number(rate)} iter/s, {format_number(seconds)}s/"
            f"{display} iters), loss = {format_number(as_float32(loss))}",
            "iteration",
            {"iteration": iteration, "loss": float(loss), "iterations_per_second": rate},
        )

    def train_output(
        self, index: int, name: str, value: LoggedNumber, loss_weight: LoggedNumber = 0.0
    ) -> None:
        """One element of an output of the train net."""
        text = f"    Train net output #{index}: {output_text(name, value, loss_weight)}"
        self.write(_solver(258), text, "train_output", {"name": name, "value": float(value)})

    def train_outputs(self, outputs: Iterable[NetOutput]) -> None:
        """All outputs of the train net, numbered element by element."""
        for index, (name, value, weight) in enumerate(_elements(outputs)):
            self.train_output(index, name, value, weight)

    def learning_rate(self, iteration: int, rate: LoggedNumber) -> None:
        """The rate of this iteration's update."""
        self.write(
            _sgd(112),
            f"Iteration {iteration}, lr = {format_number(as_float32(rate))}",
            "learning_rate",
            {"iteration": iteration, "lr": float(rate)},
        )

    def learning_rate_step(self, iteration: int, step: int, policy: str = "multistep") -> None:
        """The policy "multistep" reached its next value, or "plateau" the end of a window."""
        source, title = _STEPS[policy]
        self.write(
            _sgd(source),
            f"{title} Status: Iteration {iteration}, step = {step}",
            "learning_rate_step",
            {"iteration": iteration, "step": step},
        )

    def minimum_loss(self, iteration: int, loss: LoggedNumber) -> None:
        """The smallest loss so far, with the policy "plateau"."""
        self.write(
            _sgd(83),
            f"Plateau Status: Iteration {iteration}, current minimum_loss = "
            f"{format_number(as_float32(loss))}",
            "minimum_loss",
            {"iteration": iteration, "loss": float(loss)},
        )

    def clipping_gradients(self, norm: LoggedNumber, limit: LoggedNumber) -> None:
        """The gradients' L2 norm is above ``clip_gradients``."""
        norm, limit = as_float32(norm), as_float32(limit)
        factor = as_float32(limit / norm)
        self.write(
            _sgd(99),
            f"Gradient clipping: scaling down gradients (L2 norm {format_number(norm)} > "
            f"{format_number(limit)}) by scale factor {format_number(factor)}",
            "clip_gradients",
            {"norm": norm, "limit": limit, "factor": factor},
        )

    def skipped_step(self, iteration: int, scale: float, next_scale: float) -> None:
        """Gradients in float16 are not finite: there is no update."""
        then = f" -> {next_scale:.0f}" if next_scale != scale else ", the least that there is"
        self.write(
            _sgd(99),
            f"Iteration {iteration}, gradients are not finite: the step is skipped, loss scale "
            f"{scale:.0f}{then}",
            "loss_scale",
            {"iteration": iteration, "skipped": True, "scale": next_scale},
        )

    def larger_loss_scale(self, iteration: int, scale: float, next_scale: float) -> None:
        """For a long time gradients in float16 were finite."""
        self.write(
            _sgd(99),
            f"Iteration {iteration}, gradients stayed finite: loss scale {scale:.0f} -> "
            f"{next_scale:.0f}",
            "loss_scale",
            {"iteration": iteration, "skipped": False, "scale": next_scale},
        )

    def testing_net(self, iteration: int, index: int) -> None:
        """A test of test net ``index`` begins."""
        self.write(
            _solver(347),
            f"Iteration {iteration}, Testing net (#{index})",
            "testing_net",
            {"iteration": iteration, "net": index},
        )

    def test_interrupted(self) -> None:
        """A signal asked for the end in the middle of a test."""
        self.write(_solver(396), "Test interrupted.", "test_interrupted")

    def test_loss(self, loss: LoggedNumber) -> None:
        """The mean loss of a test (``test_compute_loss``)."""
        text = f"Test loss: {format_number(as_float32(loss))}"
        self.write(_solver(401), text, "test_loss", {"loss": float(loss)})

    def test_output(
        self, index: int, name: str, value: LoggedNumber, loss_weight: LoggedNumber = 0.0
    ) -> None:
        """The mean of one element of an output of a test net."""
        text = f"    Test net output #{index}: {output_text(name, value, loss_weight)}"
        self.write(_solver(414), text, "test_output", {"name": name, "value": float(value)})

    def test_outputs(self, outputs: Iterable[NetOutput]) -> None:
        """All outputs of a test net, numbered element by element."""
        for index, (name, value, weight) in enumerate(_elements(outputs)):
            self.test_output(index, name, value, weight)

    def nothing_detected(self, label: int) -> None:
        """A test with eval_type "detection" found nothing of a label."""
        text = f"Missing true_pos for label: {label}"
        self.write(_solver(524), text, severity=Severity.WARNING)

    def class_precision(self, label: int, precision: LoggedNumber) -> None:
        """The average precision of a label (``show_per_class_result``)."""
        text = f"class{label}: {format_number(as_float32(precision))}"
        values = {"label": label, "precision": float(precision)}
        self.write(_solver(540), text, "class_precision", values)

    def class_overlap(self, number: int, overlap: LoggedNumber) -> None:
        """How well masks of a class cover what they should (``detection_segmentation``)."""
        text = f"Seg Classes {number} IOU : {format_number(as_float32(overlap))}"
        self.write(_solver(656), text)

    def mean_overlap(self, overlap: LoggedNumber) -> None:
        """The mean over classes."""
        self.write(_solver(659), f"Seg mIOU : {format_number(as_float32(overlap))}")

    def snapshotting(self, path: str | Path, format: SnapshotFormat = "BINARYPROTO") -> None:
        """The weights are written to ``path``."""
        if format == "HDF5":
            source, kind = _solver(474), "HDF5"
        else:
            source, kind = _solver(464), "binary proto"
        self.write(source, f"Snapshotting to {kind} file {path}", "snapshot", {"path": str(path)})

    def snapshotting_state(self, path: str | Path, format: SnapshotFormat = "BINARYPROTO") -> None:
        """The solver's state is written to ``path``."""
        if format == "HDF5":
            source, kind = _sgd(296), "HDF5"
        else:
            source, kind = _sgd(284), "binary proto"
        text = f"Snapshotting solver state to {kind} file {path}"
        self.write(source, text, "snapshot_state", {"path": str(path)})

    def no_snapshot(self, iteration: int, reason: str) -> None:
        """A snapshot could not be written; training goes on."""
        self.write(
            CaffeLine("roastery", 0),
            f"No snapshot at iteration {iteration}: {reason}; earlier ones stay as they are, and "
            "the next is tried when it is due, and at the end",
            "no_snapshot",
            {"iteration": iteration, "reason": reason},
            Severity.ERROR,
        )

    def stopped_early(self) -> None:
        """A signal ended the loop before ``max_iter``."""
        self.write(_solver(311), "Optimization stopped early.", "stopped_early")

    def final_loss(self, iteration: int, loss: LoggedNumber) -> None:
        """The loss of the forward pass after the last update, when ``display`` falls on it."""
        self.write(
            _solver(327),
            f"Iteration {iteration}, loss = {format_number(as_float32(loss))}",
            "final",
            {"iteration": iteration, "loss": float(loss)},
        )

    def optimization_done(self) -> None:
        """The loop has reached ``max_iter``."""
        self.write(_solver(332), "Optimization Done.", "done")

    def warning(self, text: str, source: CaffeLine | None = None) -> None:
        """Something that a person should look at; Roastery's own words."""
        self.write(source or CaffeLine("roastery", 0), text, severity=Severity.WARNING)

    def note(self, text: str) -> None:
        """Something worth knowing; Roastery's own words."""
        self.write(CaffeLine("roastery", 0), text)
