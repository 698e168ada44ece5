"""The log in files as glog has them: one for each severity, and links to the newest.

``caffe.HOST.USER.log.INFO.20160210-133922.25210`` gets all lines, the file of WARNING those from
WARNING on, and so on; ``caffe.INFO`` leads to the newest. A file is made when its first line comes.
glog: src/logging.cc, LogFileObject.
"""

from __future__ import annotations

import contextlib
import errno
import getpass
import os
import platform
import stat
import threading
import time
from dataclasses import dataclass

from .descriptors import write_bytes
from .glog import format_line
from .glog_settings import LEVELS, GlogSettings, glog_settings
from .records import CaffeLine, LogRecord, Severity

_MEGABYTE = 1 << 20


@dataclass
class _OpenFile:
    descriptor: int
    size: int
    process: int
    path: str


class GlogFiles:
    """Writes records to the files that ``settings`` say. Raises OSError where it cannot."""

    def __init__(self, settings: GlogSettings) -> None:
        self._settings = settings
        self._files: dict[Severity, _OpenFile] = {}
        self._full = False
        self._lock = threading.Lock()

    def __str__(self) -> str:
        return f"the files of '{self._settings.folders()[0]}'"

    def handle(self, record: LogRecord) -> None:
        """Add one record, to the files of its severity and of every lesser one."""
        if self._full or not self._settings.logged(record.severity):
            return
        line = format_line(record, self._settings) + "\n"
        data = line.encode("utf-8", "surrogateescape")
        with self._lock:
            for severity in LEVELS[: LEVELS.index(record.severity) + 1]:
                self._write(severity, record, data)

    def _write(self, severity: Severity, record: LogRecord, data: bytes) -> None:
        file = self._files.get(severity)
        worn = file is not None and (
            file.size >= self._settings.megabytes * _MEGABYTE or file.process != os.getpid()
        )
        if file is None or worn:
            file = self._files[severity] = self._open(severity, record)
        try:
            write_bytes(file.descriptor, data)
        except OSError as error:
            self._full = error.errno == errno.ENOSPC and self._settings.stop_logging_if_full_disk
            raise
        file.size += len(data)

    def _open(self, severity: Severity, record: LogRecord) -> _OpenFile:
        """A new file in the first folder that takes it."""
        old = self._files.pop(severity, None)
        if old is not None and old.process == os.getpid():
            os.close(old.descriptor)
        failed: OSError | None = None
        for folder in self._settings.folders():
            try:
                return self._open_in(folder, severity, record)
            except OSError as error:
                failed = failed or error
        assert failed is not None
        raise failed

    def _open_in(self, folder: str, severity: Severity, record: LogRecord) -> _OpenFile:
        if self._settings.log_dir:
            os.makedirs(folder, exist_ok=True)
        clock = self._clock(record.timestamp)
        name = (
            f"{self._settings.program}.{_host()}.{_user()}.log.{severity.name}."
            f"{time.strftime('%Y%m%d-%H%M%S', clock)}.{os.getpid()}"
        )
        path = os.path.join(folder, name)
        descriptor = _create(path, self._settings.logfile_mode)
        size = os.fstat(descriptor).st_size
        if not size:
            head = _head(clock, self._settings).encode()
            write_bytes(descriptor, head)
            size = len(head)
        link = f"{self._settings.program}.{severity.name}"
        _link(name, os.path.join(folder, link))
        if self._settings.log_link:
            _link(os.path.abspath(path), os.path.join(self._settings.log_link, link))
        return _OpenFile(descriptor, size, os.getpid(), path)

    def _clock(self, moment: float) -> time.struct_time:
        return time.gmtime(moment) if self._settings.log_utc_time else time.localtime(moment)

    def close(self) -> None:
        """Nothing: the next log of this process goes on in the same files."""

    def close_all(self) -> None:
        """Close the files. Raises OSError where the system says only now that it is full."""
        with self._lock:
            files, self._files = self._files, {}
            for file in files.values():
                if file.process == os.getpid():
                    os.close(file.descriptor)


def _create(path: str, mode: int) -> int:
    """A new file; one of ours of this very second goes on."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
    try:
        return os.open(path, flags | os.O_EXCL, mode & 0o777)
    except FileExistsError:
        found = os.lstat(path)
        if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid():
            raise
        return os.open(path, flags, mode & 0o777)


def _link(target: str, path: str) -> None:
    """Let ``path`` lead to the newest file. What is there and is no link stays; so glog goes on
    without one where it cannot be made."""
    with contextlib.suppress(OSError):
        if os.path.lexists(path) and not os.path.islink(path):
            return
        fresh = f"{path}.{os.getpid()}.{threading.get_native_id()}"
        os.symlink(target, fresh)
        try:
            os.replace(fresh, path)
        except OSError:
            os.unlink(fresh)


def _head(clock: time.struct_time, settings: GlogSettings) -> str:
    year = "yyyy" if settings.log_year_in_prefix else ""
    return (
        f"Log file created at: {time.strftime('%Y/%m/%d %H:%M:%S', clock)}\n"
        f"Running on machine: {_host()}\n"
        f"Log line format: [IWEF]{year}mmdd hh:mm:ss.uuuuuu threadid file:line] msg\n"
    )


def _host() -> str:
    return _word(platform.node()) or "(unknown)"


def _user() -> str:
    try:
        return _word(os.environ.get("USER", "") or getpass.getuser()) or "invalid-user"
    except (OSError, KeyError):  # this number is no user's
        return f"uid{os.geteuid()}"


def _word(text: str) -> str:
    return text.replace("/", "_").replace("\0", "_")


_shared: dict[GlogSettings, GlogFiles] = {}


def shared_files(settings: GlogSettings) -> GlogFiles:
    """The files of this process: logs that are opened one after the other go on in them."""
    return _shared.setdefault(settings, GlogFiles(settings))


def close_files() -> None:
    """Close those of this process; what is logged then begins new ones."""
    for files in _shared.values():
        with contextlib.suppress(OSError):
            files.close_all()
    _shared.clear()


def tell_fatal(text: str) -> None:
    """Add what ends the program, if its log goes to files."""
    settings = glog_settings()
    if settings.writes_files:
        first, _, rest = text.partition("\n")
        record = LogRecord(Severity.FATAL, CaffeLine("roastery", 0), first, body=rest)
        with contextlib.suppress(OSError):
            shared_files(settings).handle(record)
