"""Where the loss of the policy "plateau" stands.

weiliu89/caffe, ssd: src/caffe/solvers/sgd_solver.cpp, GetLearningRate.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

LARGEST = 3.4028234663852886e38
"""The largest float32, which no loss has reached yet."""


@dataclass
class Plateau:
    """The smallest loss so far, and when something last happened to it or to the rate.

    Part of a solver's snapshot, as in SSD's.

    Attributes:
        windows: after so many iterations without a smaller loss the rate falls, for the first
            time, the second and so on; after all of them it stays.
        display: every so many iterations it is told whether the loss fell. 0: never.
        minimum_loss: of all that :meth:`step` saw.
        last_event: the iteration with the smallest loss, or with the last step.
        on_minimum: called with (iteration, minimum_loss) to tell that.
    """

    windows: tuple[int, ...]
    display: int = 0
    minimum_loss: float = LARGEST
    last_event: int = 0
    on_minimum: Callable[[int, float], None] | None = field(default=None, repr=False)

    def step(self, iteration: int, step: int, loss: float) -> int:
        """How many steps are taken after ``iteration``, of which ``loss`` is the smoothed loss."""
        if loss < self.minimum_loss:
            self.minimum_loss, self.last_event = loss, iteration
        if step < len(self.windows) and iteration >= self.last_event + self.windows[step]:
            step += 1
            self.last_event = iteration
        return step

    def tell(self, iteration: int) -> None:
        """Tell the smallest loss if this iteration is displayed and something happened since the
        last one that was."""
        shown = self.display and iteration % self.display == 0
        if shown and self.last_event > iteration - self.display and self.on_minimum is not None:
            self.on_minimum(iteration, self.minimum_loss)
