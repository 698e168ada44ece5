"""What TensorBoard shows of a training: numbers, histograms and filters, as event files."""

from .event_file import EventFile
from .log_events import LogEvents
from .parameter_events import show_parameters

__all__ = ["EventFile", "LogEvents", "show_parameters"]
