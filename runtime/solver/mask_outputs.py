"""The outputs of a test net that finds boxes and masks.

eric612/MobileNet-YOLO: Solver::TestDetectionSeg.
"""

from __future__ import annotations

import numpy as np

from ir.errors import RoasteryError
from ir.program import shown_blob

from ..logging.caffe_log import CaffeLog
from ..logging.solver_lines import NetOutput
from .config import SolverConfig
from .detection_outputs import DetectionOutputs
from .nets import RunnableNet


class MaskOutputs:
    """Average precisions of the first output, and means of the second one over its batches.

    The second one is SegmentationEvaluate's, a number for each class; what is below 0 stands for a
    class that is not in the picture, and is left out (the fork leaves out what comes after it).
    """

    def __init__(self, net: RunnableNet, config: SolverConfig) -> None:
        names = list(net.program.outputs)
        if len(names) != 2:
            raise RoasteryError(
                f"eval_type is '{config.eval_type}', and the test net has {len(names)} output(s)",
                location=config.place("eval_type"),
                hint="two are expected: DetectionEvaluate's, then SegmentationEvaluate's; give "
                "others to a Silence layer",
            )
        self._net = net
        self._name = names[1]
        self._boxes = DetectionOutputs(net, config, names[:1])
        self._total = np.zeros(0, np.float32)
        self._count = np.zeros(0, np.int64)

    def add(self) -> None:
        """What the last forward left."""
        self._boxes.add()
        found = np.asarray(self._net.output(self._name), np.float32).ravel()
        if len(found) > len(self._total):
            more = len(found) - len(self._total)
            self._total = np.pad(self._total, (0, more))
            self._count = np.pad(self._count, (0, more))
        there = np.flatnonzero(found >= 0)
        self._total[there] += found[there]
        self._count[there] += 1

    def tell(self, log: CaffeLog) -> list[NetOutput]:
        """Log what both come to, and return it."""
        means = self._total / np.maximum(self._count, 1)
        for number, mean in enumerate(means):
            log.class_overlap(number, float(mean))
        mean = float(means.mean()) if len(means) else 0.0
        log.mean_overlap(mean)
        made = self._boxes.tell(log)
        output = NetOutput(shown_blob(self._name), (mean,))
        log.test_output(1, output.name, mean)
        return [*made, output]
