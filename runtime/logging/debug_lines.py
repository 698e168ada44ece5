"""What ``debug_info: true`` shows: mean absolute values, layer by layer.

Caffe: src/caffe/net.cpp (ForwardDebugInfo, BackwardDebugInfo, UpdateDebugInfo).
"""

from __future__ import annotations

from .numbers import LoggedNumber, as_float32, format_number
from .records import CaffeLine, Severity
from .writer import LineWriter


def _net(line: int) -> CaffeLine:
    return CaffeLine("net.cpp", line)


def _number(value: LoggedNumber) -> str:
    return format_number(as_float32(value))


class DebugLines(LineWriter):
    """One method per line. Every ``mean`` is the mean of absolute values."""

    def debug_forward_top(self, layer: str, blob: str, mean: LoggedNumber) -> None:
        """After a layer's forward: one of its tops."""
        text = f"    [Forward] Layer {layer}, top blob {blob} data: {_number(mean)}"
        self._debug(593, text, "forward", layer=layer, blob=blob, data=mean)

    def debug_forward_param(self, layer: str, param: str, mean: LoggedNumber) -> None:
        """After a layer's forward: one of its parameters, by its name or its index."""
        text = f"    [Forward] Layer {layer}, param blob {param} data: {_number(mean)}"
        self._debug(605, text, "forward", layer=layer, param=param, data=mean)

    def debug_backward_bottom(self, layer: str, blob: str, mean: LoggedNumber) -> None:
        """After a layer's backward: the diff of a bottom that gets one."""
        text = f"    [Backward] Layer {layer}, bottom blob {blob} diff: {_number(mean)}"
        self._debug(621, text, "backward", layer=layer, blob=blob, diff=mean)

    def debug_backward_param(self, layer: str, index: int, mean: LoggedNumber) -> None:
        """After a layer's backward: the diff of a parameter that gets one."""
        text = f"    [Backward] Layer {layer}, param blob {index} diff: {_number(mean)}"
        self._debug(632, text, "backward", layer=layer, param=str(index), diff=mean)

    def debug_all_params(
        self,
        l1_data: LoggedNumber,
        l1_diff: LoggedNumber,
        l2_data: LoggedNumber,
        l2_diff: LoggedNumber,
    ) -> None:
        """After the whole backward. Caffe gives this line the severity ERROR."""
        text = (
            "    [Backward] All net params (data, diff): "
            f"L1 norm = ({_number(l1_data)}, {_number(l1_diff)}); "
            f"L2 norm = ({_number(l2_data)}, {_number(l2_diff)})"
        )
        values = {
            "l1_data": float(l1_data),
            "l1_diff": float(l1_diff),
            "l2_data": float(l2_data),
            "l2_diff": float(l2_diff),
        }
        self.write(_net(721), text, "debug_norms", values, Severity.ERROR)

    def _debug(self, line: int, text: str, step: str, **values: str | LoggedNumber) -> None:
        plain = {key: v if isinstance(v, str) else float(v) for key, v in values.items()}
        self.write(_net(line), text, "debug", {"pass": step, **plain})
