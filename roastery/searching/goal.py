"""What makes one training better than another."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from frontends.prototxt.suggestions import did_you_mean
from ir.errors import RoasteryError
from ir.program import NetProgram, shown_blob
from runtime.solver.solver import Solver

Aim = Literal["minimize", "maximize"]

TRAIN_LOSS, TEST_LOSS = "train_loss", "test_loss"
_TEST = re.compile(r"test(\d*)/(.+)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Goal:
    """A number of a training, and whether it should be small or large.

    Attributes:
        metric: ``train_loss``, ``test_loss`` (all weighted losses of the test net), or an output
            of it; ``test1/NAME`` is one of the second test net.
    """

    metric: str
    direction: Aim

    @property
    def _place(self) -> tuple[int, str]:
        match = _TEST.fullmatch(self.metric)
        return (int(match[1] or 0), match[2]) if match else (0, self.metric)

    def measure(self, solver: Solver, train_loss: float) -> float:
        """The number now: of a test of the net, or the mean loss since the last one."""
        if self.metric == TRAIN_LOSS:
            return train_loss
        net, name = self._place
        outputs = solver.test(net)
        if name == TEST_LOSS:
            return sum(o.loss_weight * sum(o.values) for o in outputs if o.loss_weight)
        found = [output for output in outputs if output.name == name]
        if outputs and not found:
            raise _no_output(name, [output.name for output in outputs])
        if found and len(found[0].values) != 1:
            raise RoasteryError(
                f"output '{name}' has {len(found[0].values)} values; one is compared"
            )
        return found[0].values[0] if found else float("nan")

    def better(self, value: float, other: float | None) -> bool:
        """Whether a value is better than another, or the first."""
        if other is None:
            return True
        return value < other if self.direction == "minimize" else value > other


def find_goal(solver: Solver, metric: str, direction: str) -> Goal:
    """What to compare, as far as the user did not say it.

    Without a metric it is what the last Accuracy layer or the like of the test net says, else the
    test net's loss, else that of the train net.

    Raises RoasteryError for a metric that there is not, and where no direction follows from it.
    """
    chosen = metric or _usual_metric(solver)
    goal = Goal(chosen, "minimize")
    usual: str | None = "minimize"
    if chosen != TRAIN_LOSS:
        number, name = goal._place
        if number >= len(solver.tests):
            count = len(solver.tests)
            raise RoasteryError(
                f"--metric={chosen}: the solver has {count or 'no'} test net{'s'[: count != 1]}",
                hint=f"--metric={TRAIN_LOSS} compares what is displayed",
            )
        if name != TEST_LOSS:
            usual = _usual_direction(solver, number, name)
    if direction:
        usual = direction
    if usual is None:
        raise RoasteryError(
            f"--metric={chosen} is neither a loss nor an accuracy",
            hint="say whether it should be small or large: --direction=minimize or "
            "--direction=maximize",
        )
    return Goal(chosen, "minimize" if usual == "minimize" else "maximize")


def _usual_metric(solver: Solver) -> str:
    if not solver.tests:
        return TRAIN_LOSS
    program = solver.tests[0].program
    if solver.config.eval_type != "classification":
        judged = _judging(program, "judges")
    else:
        judged = _judging(program, "labels")
    if judged:
        return judged[-1]
    return TEST_LOSS if any(any(layer.loss_weights) for layer in program.layers) else TRAIN_LOSS


def _judging(program: NetProgram, how: str) -> list[str]:
    """Outputs of one number that say how good a net is."""
    from frontends.lowering.known_layers import layer_types

    types = layer_types()
    found = []
    for layer in program.layers:
        if how == "labels":
            judges = layer.labels is not None and layer.labels.counts_others
        else:
            judges = layer.type in types and bool(types[layer.type].judges)
        if judges and layer.tops and layer.tops[0] in program.outputs:
            found.append(shown_blob(layer.tops[0]))
    return found


def _usual_direction(solver: Solver, number: int, name: str) -> Aim | None:
    program = solver.tests[number].program
    if solver.config.eval_type == "classification":
        names = [shown_blob(output) for output in program.outputs]
        if name not in names:
            raise _no_output(name, names)
    for layer in program.layers:
        for top, weight in zip(layer.tops, layer.loss_weights, strict=True):
            if shown_blob(top) == name and weight:
                return "minimize"
    return "maximize" if name in _judging(program, "labels") + _judging(program, "judges") else None


def _no_output(name: str, names: Sequence[str]) -> RoasteryError:
    near = did_you_mean(name, names)
    told = ", ".join(f"'{each}'" for each in names)
    return RoasteryError(
        f"the test net has no output '{name}'; it has {told}",
        hint=f"did you mean '{near}'?" if near else f"or {TEST_LOSS}, or {TRAIN_LOSS}",
    )
