"""``debug_info: true``: mean absolute values of everything, layer by layer.

Caffe: src/caffe/net.cpp (ForwardDebugInfo, BackwardDebugInfo, Backward).
"""

from __future__ import annotations

import numpy as np

from ir.program import shown_blob
from runtime.logging import CaffeLog
from runtime.net import PartitionedNet
from runtime.solver.nets import RunnableNet
from runtime.solver.solver import Solver


def show_debug_info(solver: Solver) -> None:
    """Show the train net's passes when an iteration is displayed, the test nets' always."""
    watch = DebugInfo(solver.log, solver.train)
    watch.shown = False

    def follow(shown: bool) -> None:
        watch.shown = shown

    solver.on_display.append(follow)
    for test in solver.tests:
        DebugInfo(solver.log, test)


class DebugInfo:
    """Logs every layer's pass of a layerwise net while ``shown``."""

    def __init__(self, log: CaffeLog, net: RunnableNet) -> None:
        if not (isinstance(net, PartitionedNet) and net.by_layer):
            raise TypeError("debug_info needs a net that runs layer by layer")
        self.shown = True
        self._log, self._net = log, net
        net.after_forward.append(self._forward)
        net.after_backward.append(self._backward)

    def _forward(self, number: int) -> None:
        if not self.shown:
            return
        net, layer = self._net, self._net.program.layers[number]
        for top in layer.tops:
            mean = _mean(net.blobs[top].data.peek())
            self._log.debug_forward_top(layer.name, shown_blob(top), mean)
        for index, variable in enumerate(layer.variables):
            named = net.program.variables[variable].param_name
            data = net.store.data[variable].peek()
            self._log.debug_forward_param(layer.name, named or str(index), _mean(data))

    def _backward(self, number: int) -> None:
        if not self.shown:
            return
        net, layer = self._net, self._net.program.layers[number]
        if layer.needs_backward:
            for bottom, flows in zip(layer.bottoms, layer.backward_bottoms, strict=True):
                if flows:
                    diff = net.blobs[bottom].diff.peek()
                    self._log.debug_backward_bottom(layer.name, bottom, _mean(diff))
            for index, variable in enumerate(layer.variables):
                if net.program.variables[variable].learns:
                    diff = net.store.diff[variable].peek()
                    self._log.debug_backward_param(layer.name, index, _mean(diff))
        if number == 0:
            self._all_params()

    def _all_params(self) -> None:
        store = self._net.store
        data = [store.data[c.name].peek() for c in self._net.program.parameters]
        diff = [store.diff[c.name].peek() for c in self._net.program.parameters]
        self._log.debug_all_params(_l1(data), _l1(diff), _l2(data), _l2(diff))


def _mean(values: np.ndarray) -> float:
    return float(np.abs(values).mean(dtype=np.float64)) if values.size else 0.0


def _l1(arrays: list[np.ndarray]) -> float:
    return sum(float(np.abs(a).sum(dtype=np.float64)) for a in arrays)


def _l2(arrays: list[np.ndarray]) -> float:
    return float(np.sqrt(sum(float(np.square(a, dtype=np.float64).sum()) for a in arrays)))
