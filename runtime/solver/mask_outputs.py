"""The outputs of a test net that finds boxes and masks.

eric612/MobileNet-YOLO: Solver::TestDetectionSeg.
"""

from __future__ import annotations

import numpy as np

from ir.errors import RoasteryError
from ir.program import shown_blob

from ..distributed.ranks import Ranks
from ..logging.caffe_log import CaffeLog
from ..logging.solver_lines import NetOutput
from .class_overlaps import ClassOverlaps
from .config import SolverConfig
from .detection_outputs import DetectionOutputs
from .nets import RunnableNet


class MaskOutputs:
    """Average precisions of the first output, and means of the second one over its batches.

    The second one is SegmentationEvaluate's, a number for each class.
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
        self._overlaps = ClassOverlaps()

    def add(self) -> None:
        """What the last forward left."""
        self._boxes.add()
        self._overlaps.add(np.asarray(self._net.output(self._name), np.float32).ravel())

    def gather(self, ranks: Ranks) -> None:
        """Have what the batches of all ranks left."""
        self._boxes.gather(ranks)
        first, *others = ranks.gathered(self._overlaps)
        for other in others:
            first.join(other)
        self._overlaps = first

    def tell(self, log: CaffeLog) -> list[NetOutput]:
        """Log what both come to, and return it."""
        means = self._overlaps.means
        for number, mean in enumerate(means):
            log.class_overlap(number, float(mean))
        mean = float(means.mean()) if len(means) else 0.0
        log.mean_overlap(mean)
        made = self._boxes.tell(log)
        output = NetOutput(shown_blob(self._name), (mean,))
        log.test_output(1, output.name, mean)
        return [*made, output]
