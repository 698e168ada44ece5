"""The flags that say where a command's log goes, and the lines that such logs begin with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .command import Arguments, Flag

if TYPE_CHECKING:
    from runtime.logging import CaffeLog
    from runtime.logging.command_lines import LoggedCommand

#: For a command with a log: ``flags=(..., *LOG_FLAGS)``.
LOG_FLAGS = (
    Flag("log_file", "also add the log, all of it, to the end of a file", metavar="FILE"),
    Flag("log_json", "also write the log as JSON, one object per line", metavar="FILE"),
)


def open_log(arguments: Arguments) -> CaffeLog:
    """The log of a command that makes nothing else: it ends when nobody reads that any more."""
    from runtime.logging import CaffeLog

    return CaffeLog.open(json_path=arguments.log_json, log_path=arguments.log_file, goes_on=False)


def log_device(log: CaffeLog, device: str, command: LoggedCommand) -> None:
    """``Use CPU.`` or the number of the GPU."""
    if device.startswith("cuda"):
        log.use_gpu(int(device.partition(":")[2] or 0), command)
    else:
        log.use_cpu(command)
