"""``os``, ``sys``, ``time`` and others that lost a few names; ``commands``, ``imp``."""

from __future__ import annotations

import builtins
import errno
import importlib.util
import inspect
import os
import subprocess
import sys
import threading
import time
from types import ModuleType
from typing import Any

from ..byte_string import ByteString


def _as_text(value: Any) -> Any:
    return str(value) if isinstance(value, ByteString) else value


def path_names(real: ModuleType) -> dict[str, Any]:
    def join(*parts: Any) -> Any:
        return os.path.join(*map(_as_text, parts))

    def walk(top: Any, function: Any, argument: Any) -> None:
        for folder, folders, files in os.walk(top):
            function(argument, folder, [*folders, *files])

    return {"join": join, "walk": walk}


def os_names(real: ModuleType) -> dict[str, Any]:
    from .registry import facade

    def popen(command: Any, *args: Any) -> Any:
        return os.popen(_as_text(command), *args)

    return {
        "errno": errno,
        "getcwdu": os.getcwd,
        "path": facade("os.path", os.path),
        "popen": popen,
        "system": lambda command: os.system(_as_text(command)),
    }


def sys_names(real: ModuleType) -> dict[str, Any]:
    return {
        "exc_clear": lambda: None,
        "maxint": sys.maxsize,
        "setdefaultencoding": lambda name: None,
        "setcheckinterval": lambda count: None,
        "getcheckinterval": lambda: 100,
    }


def time_names(real: ModuleType) -> dict[str, Any]:
    return {"clock": time.process_time}


def threading_names(real: ModuleType) -> dict[str, Any]:
    for kind in (threading.Thread,):
        if not hasattr(kind, "isAlive"):
            kind.isAlive = kind.is_alive  # type: ignore[attr-defined]
    return {
        "_sleep": time.sleep,
        "_time": time.time,
    }


def platform_names(real: ModuleType) -> dict[str, Any]:
    import platform

    def distribution(*args: Any, **kwargs: Any) -> tuple[str, str, str]:
        try:
            found = platform.freedesktop_os_release()
        except OSError:
            return "", "", ""
        return found.get("NAME", ""), found.get("VERSION_ID", ""), ""

    return {"linux_distribution": distribution, "dist": distribution}


def inspect_names(real: ModuleType) -> dict[str, Any]:
    def getargspec(function: Any) -> Any:
        return inspect.getfullargspec(function)[:4]

    return {"getargspec": getargspec}


def commands() -> dict[str, Any]:
    return {"getoutput": subprocess.getoutput, "getstatusoutput": subprocess.getstatusoutput}


def exceptions() -> dict[str, Any]:
    found = {
        name: value
        for name, value in vars(builtins).items()
        if isinstance(value, type) and issubclass(value, BaseException)
    }
    return found | {"StandardError": Exception}


def builtin() -> dict[str, Any]:
    from ..builtins import python2_builtins

    return dict(vars(python2_builtins()))


def imp(real: ModuleType | None = None) -> dict[str, Any]:
    def load_source(name: str, path: Any, file: Any = None) -> Any:
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
        return module

    names: dict[str, Any] = {"load_source": load_source}
    if real is None:
        from ..builtins import reload_

        names |= {"reload": reload_, "new_module": ModuleType, "acquire_lock": lambda: None}
    return names
