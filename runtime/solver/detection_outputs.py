"""The outputs of a test net as average precisions. Caffe (SSD): Solver::TestDetection."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ir.errors import RoasteryError
from ir.program import shown_blob

from ..distributed.ranks import Ranks
from ..logging.caffe_log import CaffeLog
from ..logging.solver_lines import NetOutput
from .average_precision import WIDTH, DetectionScores, mean_precision
from .config import SolverConfig
from .nets import RunnableNet


class DetectionOutputs:
    """Collects the outputs of one test net over its batches.

    Args:
        names: the outputs; all of them by default.
    """

    def __init__(
        self, net: RunnableNet, config: SolverConfig, names: Sequence[str] | None = None
    ) -> None:
        self._net = net
        self._config = config
        outputs = net.program.outputs if names is None else names
        self._scores = {name: DetectionScores() for name in outputs}

    def add(self) -> None:
        """What the last forward left. Raises RoasteryError if that is no DetectionEvaluate's."""
        for name, scores in self._scores.items():
            array = self._net.output(name)
            if array.ndim < 2 or array.shape[-1] != WIDTH:
                raise RoasteryError(
                    f"eval_type is '{self._config.eval_type}', and the output "
                    f"'{shown_blob(name)}' of the test net has shape "
                    f"{list(array.shape)}; rows of {WIDTH} numbers are expected",
                    location=self._config.place("eval_type"),
                    hint="the outputs must be those of DetectionEvaluate layers; give others to a "
                    "Silence layer, or remove eval_type",
                )
            scores.add(np.asarray(array, np.float32).reshape(-1, WIDTH))

    def gather(self, ranks: Ranks) -> None:
        """Have the detections of all ranks."""
        if ranks.count == 1:
            return
        first, *others = ranks.gathered(self._scores)
        for name, scores in first.items():
            for other in others:
                scores.join(other[name])
        self._scores = first

    def tell(self, log: CaffeLog) -> list[NetOutput]:
        """Log the mean average precision of each output, and return them."""
        made = []
        for index, (name, scores) in enumerate(self._scores.items()):
            precisions = scores.precisions(self._config.ap_version)
            for label, precision in precisions.items():
                if precision is None:
                    log.nothing_detected(label)
                elif self._config.show_per_class_result:
                    log.class_precision(label, precision)
            output = NetOutput(shown_blob(name), (mean_precision(precisions),))
            log.test_output(index, output.name, output.values[0])
            made.append(output)
        return made
