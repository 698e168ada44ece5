"""From a net's message to a net that runs: the one way, for every command, call and tool.

:class:`NetRequest` says what is asked for. :func:`lower_net` chooses the layers of the state,
lowers them and checks that they fit; :class:`NetBuilder` gives the lowered net its parameters and
data, and binds it to an executor.
"""

from .builder import BuiltNet, ExecutionMode, NetBuilder
from .lowered import LoweredNet, NetRequest, lower_net
from .report import BuildReport, LogReport
from .sharing import shared_buffers

__all__ = [
    "BuildReport",
    "BuiltNet",
    "LogReport",
    "LoweredNet",
    "NetBuilder",
    "NetRequest",
    "ExecutionMode",
    "lower_net",
    "shared_buffers",
]
