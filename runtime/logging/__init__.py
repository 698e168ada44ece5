"""Logs in Caffe's exact form, and the same events as JSON."""

from .caffe_log import CaffeLog
from .glog import GlogHandler, format_line, format_prefix
from .json_lines import JsonLinesHandler
from .numbers import format_number
from .records import CaffeLine, Handler, LogRecord, Severity
from .solver_lines import NetOutput

__all__ = [
    "CaffeLog",
    "GlogHandler",
    "Handler",
    "JsonLinesHandler",
    "LogRecord",
    "NetOutput",
    "Severity",
    "CaffeLine",
    "format_line",
    "format_number",
    "format_prefix",
]
