"""What glog's flags and its variables in the environment say of a log.

A program's flags go before ``GLOG_*``. glog: src/logging.cc, src/flags.cc; Caffe's programs set
alsologtostderr themselves: tools/caffe.cpp, main.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from .records import Severity

PROGRAM = "caffe"
"""The program that files are named after, and links to the newest: ``caffe.INFO``."""

LEVELS = (Severity.INFO, Severity.WARNING, Severity.ERROR, Severity.FATAL)
"""Severities by their numbers."""

_VARIABLES = (
    "GLOG_log_dir",
    "GLOG_log_link",
    "GLOG_logtostderr",
    "GLOG_alsologtostderr",
    "GLOG_stderrthreshold",
    "GLOG_minloglevel",
    "GLOG_log_prefix",
    "GLOG_log_year_in_prefix",
    "GLOG_log_utc_time",
    "GLOG_colorlogtostderr",
    "GLOG_max_log_size",
    "GLOG_logfile_mode",
    "GLOG_stop_logging_if_full_disk",
)

_FOLDERS = ("TMPDIR", "TMP")
_TRUE = "tTyY1"
_MOST = 4096  # megabytes; glog takes a size from here on for 1


@dataclass(frozen=True)
class GlogSettings:
    """The flags of glog that say what is written where; the names are glog's.

    Attributes:
        program: what files are named after.
        files: whether there are files without a word about them, as in Caffe's own programs.
        log_dir: the folder of the files; empty: the one for temporary files.
        log_link: another folder for links to the newest files.
        logtostderr: no files, all to standard error. alsologtostderr: all to standard error, too.
        stderrthreshold: what goes to standard error whatever else is said, by its number.
        minloglevel: what is less than this goes nowhere.
        log_prefix: whether lines begin with severity, moment, thread and place.
        log_year_in_prefix, log_utc_time: how the moment is written.
        colorlogtostderr: warnings in yellow, errors in red, on a terminal that can do it.
        max_log_size: megabytes after which a file is followed by another.
        logfile_mode: the permissions of files.
        stop_logging_if_full_disk: files are given up where the disk is full.
    """

    program: str = PROGRAM
    files: bool = False
    log_dir: str = ""
    log_link: str = ""
    logtostderr: bool = False
    alsologtostderr: bool = True
    stderrthreshold: int = 2
    minloglevel: int = 0
    log_prefix: bool = True
    log_year_in_prefix: bool = False
    log_utc_time: bool = False
    colorlogtostderr: bool = False
    max_log_size: int = 1800
    logfile_mode: int = 0o664
    stop_logging_if_full_disk: bool = False

    @property
    def writes_files(self) -> bool:
        """Whether lines go to files."""
        return not self.logtostderr and bool(self.files or self.log_dir)

    @property
    def megabytes(self) -> int:
        """``max_log_size`` as glog takes it."""
        return self.max_log_size if 0 < self.max_log_size < _MOST else 1

    def on_standard_error(self, severity: Severity) -> bool:
        """Whether a line of this severity is shown there."""
        if not self.logged(severity):
            return False
        everything = self.logtostderr or self.alsologtostderr or not self.writes_files
        return everything or LEVELS.index(severity) >= self.stderrthreshold

    def logged(self, severity: Severity) -> bool:
        """Whether a line of this severity goes anywhere."""
        return LEVELS.index(severity) >= self.minloglevel

    def folders(self) -> list[str]:
        """Where files may be, the best first."""
        if self.log_dir:
            return [self.log_dir]
        named = [os.environ.get(name, "") for name in _FOLDERS]
        return [folder for folder in (*named, "/tmp") if folder and os.path.isdir(folder)] or ["."]


def from_environment(
    given: Mapping[str, Any], program: str = "", *, script: bool = False
) -> GlogSettings:
    """What the environment says, and ``given``, by the flags' names, which goes before it.

    Args:
        program: Caffe's program that we run as; empty: ourselves, who write files only where a
            flag or a variable asks for them.
        script: for pycaffe, not a program, which itself sets alsologtostderr.
    """
    defaults = GlogSettings()
    said: dict[str, Any] = {}
    if folder := os.environ.get("GOOGLE_LOG_DIR", ""):
        said["log_dir"] = folder
    for variable in _VARIABLES:
        if text := os.environ.get(variable, ""):
            flag = variable.removeprefix("GLOG_")
            said[flag] = _value(text, getattr(defaults, flag))
    if not script:
        said.pop("alsologtostderr", None)
    said |= {name: value for name, value in given.items() if hasattr(defaults, name)}
    wanted = "alsologtostderr" in given or given.get("logtostderr") is False
    return replace(defaults, **said, program=program or PROGRAM, files=bool(program) or wanted)


def _value(text: str, default: Any) -> Any:
    """As glog reads it: the first letter of a truth, the digits that a number begins with."""
    if isinstance(default, bool):
        return text[0] in _TRUE
    if isinstance(default, str):
        return text
    number = re.match(r"\s*([+-]?\d+)", text)
    return int(number[1]) if number else 0


_settings: GlogSettings | None = None


def use_glog(settings: GlogSettings | None) -> None:
    """What logs that are opened from now on heed; None: what the environment says then."""
    global _settings
    _settings = settings


def glog_settings() -> GlogSettings:
    """What a log that is opened now heeds."""
    return _settings if _settings is not None else from_environment({})


def script_settings() -> GlogSettings:
    """What the log of pycaffe heeds now: the environment, which scripts may change."""
    return from_environment({}, script=True)
