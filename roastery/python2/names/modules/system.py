"""``os``, ``sys``, ``time`` and others that lost a few names; ``commands``, ``imp``."""

from __future__ import annotations

import builtins
import errno
import functools
import importlib
import importlib.util
import inspect
import os
import subprocess
import sys
import threading
import time
from types import ModuleType
from typing import Any

from ..byte_string import ByteString, as_string, to_bytes


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

    from .processes import Popen

    def pipes(*order: str) -> Any:
        """``popen2``, ``popen3``, ``popen4``: the child's standard input and what it prints."""

        def start(command: Any, mode: str = "t", bufsize: int = -1) -> Any:
            process = Popen(
                command,
                shell=isinstance(command, str),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr={2: None, 3: subprocess.PIPE}.get(len(order), subprocess.STDOUT),
            )
            return tuple(getattr(process, name) for name in order if name)

        return start

    return {
        "read": lambda fd, n: as_string(os.read(fd, n)),
        "write": lambda fd, data: os.write(fd, to_bytes(data)),
        "popen2": pipes("stdin", "stdout"),
        "popen3": pipes("stdin", "stdout", "stderr"),
        "popen4": pipes("stdin", "stdout", "", ""),
        "errno": errno,
        "getcwdu": os.getcwd,
        "path": facade("os.path", os.path),
        "popen": popen,
        "system": lambda command: os.system(_as_text(command)),
    }


def _exception(part: int) -> Any:
    return sys.exc_info()[part]


def sys_names(real: ModuleType) -> dict[str, Any]:
    from .registry import COMPUTED

    return {
        COMPUTED: {
            name: functools.partial(_exception, at)
            for at, name in enumerate(("exc_type", "exc_value", "exc_traceback"))
        },
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
    def getstatusoutput(command: Any) -> tuple[int, str]:
        """The status as ``os.wait`` gives it: the exit code 256 times."""
        code, text = subprocess.getstatusoutput(command)
        return (-code if code < 0 else code << 8), text

    return {"getoutput": subprocess.getoutput, "getstatusoutput": getstatusoutput}


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


_SOURCE, _PACKAGE, _BUILTIN = 1, 5, 6


def imp(real: ModuleType | None = None) -> dict[str, Any]:
    from ..executing import run_in
    from ..files import open_

    def load_source(name: str, path: Any, file: Any = None) -> Any:
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        run_in(str(path), vars(module))
        return module

    def find_module(name: str, path: Any = None) -> Any:
        """A file of source or a folder; what more there was is nothing that a script asks for."""
        for folder in sys.path if path is None else path:
            place = os.path.join(folder or ".", name)
            if os.path.isfile(os.path.join(place, "__init__.py")):
                return None, place, ("", "", _PACKAGE)
            if os.path.isfile(place + ".py"):
                return open_(place + ".py"), place + ".py", (".py", "U", _SOURCE)
        if path is None and importlib.util.find_spec(name) is not None:
            return None, name, ("", "", _BUILTIN)
        raise ImportError(f"No module named {name}", name=name)

    def load_module(name: str, file: Any, path: Any, description: Any) -> Any:
        if description[2] == _BUILTIN:
            return importlib.import_module(name)
        if description[2] == _PACKAGE:
            path = os.path.join(path, "__init__.py")
        return load_source(name, path)

    names: dict[str, Any] = {
        "C_BUILTIN": _BUILTIN,
        "PKG_DIRECTORY": _PACKAGE,
        "PY_SOURCE": _SOURCE,
        "find_module": find_module,
        "load_module": load_module,
        "load_source": load_source,
    }
    if real is None:
        from ..builtins import reload_

        names |= {"reload": reload_, "new_module": ModuleType, "acquire_lock": lambda: None}
    return names
