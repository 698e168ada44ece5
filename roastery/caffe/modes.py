"""The process-wide settings of pycaffe: device, precision, seed, phases, log."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field, replace

from runtime.logging import CaffeLog, GlogHandler, LogRecord
from runtime.logging.glog_files import shared_files
from runtime.logging.glog_settings import LEVELS, script_settings

from ..devices.backends import choose_device, cuda_missing
from ..devices.compile_options import choose_precision
from ..ranks.solvers import PLACE

TRAIN, TEST = 0, 1
PHASES = {TRAIN: "TRAIN", TEST: "TEST", "TRAIN": "TRAIN", "TEST": "TEST"}


@dataclass
class _Settings:
    device: str | None = None
    precision: str | None = None
    number: int = 0
    told: bool = False  # that there is no GPU
    seed: int | None = None
    counter: itertools.count[int] = field(default_factory=itertools.count)


_settings = _Settings()


def set_mode_cpu() -> None:
    """Run nets made from now on on the CPU."""
    _settings.device = "cpu"


def set_mode_gpu() -> None:
    """Run nets made from now on on the GPU chosen by :func:`set_device`.

    Without a GPU they run on the CPU, and the first one says so: scripts call this everywhere.
    """
    _settings.device = f"cuda:{_settings.number}"


def set_device(number: int) -> None:
    """Choose the GPU by number."""
    _settings.number = int(number)
    if _settings.device and _settings.device.startswith("cuda"):
        set_mode_gpu()


def set_precision(name: str | None) -> None:
    """Precision of nets and solvers made from now on: ``float32``, ``tf32``, ``bfloat16``,
    ``float16``, ``ieee``; None: what ROASTERY_PRECISION says, else ``float32``.

    Raises RoasteryError for an unknown one.
    """
    _settings.precision = None if name is None else choose_precision(name)


def precision(explicit: str | None = None) -> str | None:
    """For a new net: the one named, else what :func:`set_precision` chose, if that was called."""
    return _settings.precision if explicit is None else explicit


def asked_device() -> str | None:
    """What ``set_mode_*`` asked for, if it is there."""
    asked = _settings.device
    if asked is not None and asked.startswith("cuda") and (reason := cuda_missing()) is not None:
        tell_no_gpu(f"set_mode_gpu was called, but there is no GPU ({reason}): using the CPU")
        return None
    return asked


def tell_no_gpu(note: str) -> None:
    """Say once in a process that there is no GPU where one was asked for; of several ranks one
    says it."""
    if not _settings.told and PLACE.is_first:
        _settings.told = True
        _log.warning(note)


def solver_seed() -> int | None:
    """The seed for a solver whose file gives none."""
    return _settings.seed


def set_random_seed(seed: int) -> None:
    """Seed of fillers, dropout and data of nets made from now on."""
    _settings.seed = int(seed)
    _settings.counter = itertools.count()


def device(explicit: str | None = None) -> str:
    """Canonical name of the device for a new net: the one named, else what ``set_mode_*`` chose."""
    return choose_device(explicit, default=None if explicit else asked_device())


def next_seed() -> int:
    """A seed for the next net: from :func:`set_random_seed`, else unpredictable."""
    if _settings.seed is None:
        import secrets

        return secrets.randbits(31)
    return (_settings.seed + next(_settings.counter) * 1_000_003) & 0x7FFFFFFF


class _FromLevel(GlogHandler):
    """Lines of a severity and above, to standard error and, if glog's variables say so, to files.

    While ``level`` is None the environment tells, whenever a line comes: a script that sets
    ``GLOG_minloglevel`` before its ``import caffe`` may do so after ``roastery python`` has
    imported this module.
    """

    def __init__(self, lowest: int = 0) -> None:
        super().__init__()
        self.level: int | None = None
        self.silent = False
        self._lowest = lowest

    def handle(self, record: LogRecord) -> None:
        settings = script_settings()
        if self.level is not None:
            settings = replace(settings, minloglevel=self.level)
        if LEVELS.index(record.severity) < self._lowest:
            return
        if settings.writes_files:
            shared_files(settings).handle(record)
        if not self.silent:
            self.settings = settings
            super().handle(record)


_WARNING = 1
_handler = _FromLevel()
_log = CaffeLog([_handler])
_nets_log = CaffeLog([_FromLevel(_WARNING)])


def init_log(level: int = 0, to_stderr: bool = True) -> None:
    """Log from a severity on (0 INFO, 1 WARNING, 2 ERROR). Nets that are no solver's log, too."""
    global _nets_log
    _handler.level, _handler.silent = level, not to_stderr
    _nets_log = _log


def log(text: str) -> None:
    """Write a line to the log, or several."""
    for line in text.split("\n"):
        _log.note(line)


def solver_log() -> CaffeLog:
    """The log of solvers: standard error, from ``GLOG_minloglevel`` on."""
    return _log


def net_log() -> CaffeLog:
    """The log of single nets: warnings only until :func:`init_log`."""
    return _nets_log
