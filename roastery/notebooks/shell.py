"""What ``get_ipython()`` is to a cell."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

_VARIABLE = re.compile(r"\$\$|\$([A-Za-z_]\w*)|\{([^{}]+)\}")

#: Magics that set up what is not here, or that there is nothing to do for.
_NOTHING = (
    "autoreload", "config", "load_ext", "matplotlib", "precision", "reload_ext", "xmode",
)  # fmt: skip


class Shell:
    """The part of IPython's shell that notebooks call.

    Args:
        run: runs code in the notebook's names, or with ``apart`` in a copy of them.
        names: the names.
        skipped: whether a shell command is left out.
    """

    def __init__(
        self,
        run: Callable[..., Any],
        names: dict[str, Any],
        skipped: Callable[[str], bool] = lambda command: False,
    ) -> None:
        self._run, self._names, self._skipped = run, names, skipped

    # --- the shell --------------------------------------------------------------------

    def system(self, command: str) -> None:
        """``!command``: what it prints is printed; that it fails is no error."""
        whole = self._filled(command)
        if self._skipped(whole):
            return
        done = subprocess.run(
            whole, shell=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
        )
        sys.stdout.write(done.stdout.decode("utf-8", "replace"))
        self._names["_exit_code"] = done.returncode

    def getoutput(self, command: str) -> list[str]:
        """``x = !command``."""
        whole = self._filled(command)
        if self._skipped(whole):
            return []
        done = subprocess.run(whole, shell=True, stdout=subprocess.PIPE, check=False)
        return done.stdout.decode("utf-8", "replace").splitlines()

    def _filled(self, command: str) -> str:
        """With ``$name`` and ``{expression}`` replaced; what is no name of ours is the shell's."""

        def value(match: re.Match[str]) -> str:
            if match[0] == "$$":
                return "$"
            if match[1]:
                return str(self._names[match[1]]) if match[1] in self._names else match[0]
            try:
                return str(self._run(match[2], apart=True))
            except Exception:
                return match[0]

        return _VARIABLE.sub(value, command)

    # --- magics -----------------------------------------------------------------------

    def run_line_magic(self, name: str, line: str) -> Any:
        """``%name line``."""
        if name in _NOTHING:
            return None
        if name in ("timeit", "time", "prun"):
            return self._timed(_without_options(line), name)
        if name == "cd":
            os.chdir(os.path.expanduser(self._filled(line.strip().strip("'\""))))
            return None
        if name == "pwd":
            return os.getcwd()
        if name == "pylab":
            return self._run("from pylab import *\nimport numpy as np")
        if name == "run":
            script, *arguments = self._filled(line).split()
            before, sys.argv = sys.argv, [script, *arguments]
            try:
                return self._run(Path(script).read_text(encoding="utf-8"))
            finally:
                sys.argv = before
        if name in ("env", "set_env"):
            key, _, value = line.partition("=")
            os.environ[key.strip()] = self._filled(value.strip())
            return None
        if name in ("system", "sx", "ls", "cat", "mkdir", "rm", "cp", "mv", "pip"):
            return self.system(line if name in ("system", "sx") else f"{name} {line}")
        raise NameError(f"the magic %{name} needs IPython")

    magic = run_line_magic

    def run_cell_magic(self, name: str, line: str, body: str) -> Any:
        """``%%name line`` over the cell."""
        if name in ("timeit", "time", "capture", "prun"):
            return self._timed(body, name) if name != "capture" else self._run(body)
        if name in ("bash", "sh", "script"):
            return self.system(body)
        if name in ("writefile", "file"):
            Path(line.split()[-1]).write_text(body, encoding="utf-8")
            return None
        if name in ("javascript", "html", "HTML", "latex", "markdown", "svg"):
            return None
        raise NameError(f"the magic %%{name} needs IPython")

    def _timed(self, source: str, name: str) -> Any:
        """Runs once, whatever the magic would do, and tells how long that took.

        What ``timeit`` runs is a function's body: names that it sets are gone behind it.
        """
        began = time.perf_counter()
        value = self._run(source, apart=name == "timeit")
        print(f"1 loop: {time.perf_counter() - began:.3g} s")
        return value


def _without_options(line: str) -> str:
    """``-n 10 -r 3 f()`` without its options."""
    return re.sub(r"^(?:\s*-[nrtcpqo]\s*\d*\s+)*", "", line)
