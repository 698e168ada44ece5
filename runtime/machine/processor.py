"""What the CPU of this machine is."""

from __future__ import annotations

import os
import platform
import re
from dataclasses import replace
from pathlib import Path

from compiler.image_layout import ROW_MAJOR
from compiler.instructions import Instructions, instructions_of
from compiler.precision import FLOAT32, IEEE, ON_CPUS
from compiler.target import Target

_LONGEST = 1 << 16  # characters of a file that are read
_NUMBERS = 64  # of a file that holds one or two numbers


def cpu_target(root: Path = Path("/"), machine: str = platform.machine()) -> Target:
    """The processors that this process may use.

    What the system does not tell (another system than Linux, a container without ``/proc`` or
    ``/sys``) is left at the least there can be. ``root``: where these folders are.
    """
    said = _read(root / "proc/cpuinfo")
    name = re.search(r"^model name\s*:\s*(.+)$", said, re.MULTILINE)
    flags = re.search(r"^flags\s*:\s*(.+)$", said, re.MULTILINE)
    caches = _caches(root / "sys/devices/system/cpu/cpu0/cache")
    target = Target(
        "cpu",
        name[1].strip() if name else platform.machine(),
        processors=max(1, min(_allowed(), _share(root / "sys/fs/cgroup"))),
        l1_cache=caches.get(1, 0),
        l2_cache=caches.get(2, 0),
    )
    return having(target, instructions_of(machine, flags[1].split() if flags else ()))


def having(target: Target, instructions: Instructions) -> Target:
    """A CPU as one of other instructions."""
    return replace(
        target,
        precisions=ON_CPUS,
        instructions=instructions.name,
        vector=instructions.vector,
        registers=instructions.registers,
    )


def numpy_target() -> Target:
    """This machine for executors that run no code of ours."""
    plain = (FLOAT32, IEEE)
    return replace(cpu_target(), precisions=plain, instructions="", registers=0, layout=ROW_MAJOR)


def _allowed() -> int:
    """Processors that this process may be scheduled on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _share(groups: Path) -> int:
    """As many processors' time as a container has; many where it has no limit. ``groups``: the
    folder of control groups, of version 2 or 1."""
    old = (_read(groups / f"cpu/cpu.cfs_{name}_us", _NUMBERS) for name in ("quota", "period"))
    said = _read(groups / "cpu.max", _NUMBERS) or " ".join(map(str.strip, old))
    found = re.match(r"(\d+) ([1-9]\d*)\b", said)
    return -(-int(found[1]) // int(found[2])) if found else 1 << 20


def _caches(folder: Path) -> dict[int, int]:
    """Bytes by level, of those for data."""
    found: dict[int, int] = {}
    for index in range(8):
        one = folder / f"index{index}"
        level = _read(one / "level", _NUMBERS).strip()
        size = re.match(r"(\d+)K", _read(one / "size", _NUMBERS))
        if level.isdecimal() and size and not _read(one / "type").startswith("Instruction"):
            found[int(level)] = int(size[1]) << 10
    return found


def _read(file: Path, longest: int = _LONGEST) -> str:
    try:
        with file.open(encoding="utf-8", errors="replace") as stream:
            return stream.read(longest)
    except OSError:
        return ""
