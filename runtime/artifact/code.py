"""The machine code of a plan's kernels: a table, and members of the archive."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from compiler.binary import HIDDEN, Binary
from compiler.kernel import Config, Kernel
from compiler.plan.codec import from_json, to_json
from compiler.plan.plan import Plan, PlanLaunch
from compiler.plan.tables import kernel_files
from ir.errors import RoasteryError

from .container import CODE, json_bytes

Code = Mapping[tuple[int, Config], Sequence[Binary]]
"""Binaries by the number of a kernel and the configuration, one for each architecture."""
ReadMember = Callable[[str], bytes]
"""Gives the bytes of a member."""


@dataclass(frozen=True, slots=True)
class _Entry:
    """``source``: the file in the archive, to be read by people. ``binaries``: headers, with the
    names of the members that hold the code."""

    kernel: int
    config: Config
    source: str
    binaries: tuple[dict[str, Any], ...]


def launched(plan: Plan) -> list[PlanLaunch]:
    """The launches that need code: a grid may be empty."""
    return [launch for launch in plan.launches if 0 not in launch.grid]


def targets(code: Code) -> tuple[str, ...]:
    """For which every kernel has machine code, oldest first."""
    each = [{b.architecture.capability for b in binaries} for binaries in code.values()]
    common = set.intersection(*each) if each else set()
    return tuple(f"cuda:sm_{capability}" for capability in sorted(common))


def code_members(plan: Plan, code: Code, sources: Sequence[str]) -> dict[str, bytes]:
    """The table, the machine code, and the kernels' texts for people, by name of the member.

    The PTX of one architecture alone is kept, for newer GPUs: of sm_80, else of the oldest.
    """
    architectures = {b.architecture for binaries in code.values() for b in binaries}
    portable = {a.capability for a in architectures if a.portable}
    kept = 80 if 80 in portable else min(portable, default=0)
    files = [f"kernels/{name}" for name in kernel_files(plan)]
    members = {file: text.encode() for file, text in zip(files, sources, strict=True)}
    entries = []
    for number, ((kernel, config), binaries) in enumerate(code.items()):
        headers = []
        for binary in binaries:
            capability = binary.architecture.capability
            stem = f"code/sm_{capability}/{number:04d}"
            headers.append({**binary.header(), "cubin": f"{stem}.cubin"})
            members[f"{stem}.cubin"] = binary.cubin
            if capability == kept:
                headers[-1]["ptx"] = f"{stem}.ptx"
                members[f"{stem}.ptx"] = binary.ptx.encode()
        entries.append(_Entry(kernel, config, files[kernel], tuple(headers)))
    members[CODE] = json_bytes(to_json(tuple(entries)))
    return members


def read_code(plan: Plan, data: Any, read: ReadMember) -> Code:
    """Inverse of :func:`code_members`. Raises ValueError for what does not fit the plan."""
    entries: tuple[_Entry, ...] = from_json(tuple[_Entry, ...], data, "code")
    code = {}
    for number, entry in enumerate(entries):
        if not 0 <= entry.kernel < len(plan.kernels):
            raise ValueError(f"code {number} is of kernel {entry.kernel}, which is none")
        kernel = plan.kernels[entry.kernel]
        code[entry.kernel, entry.config] = read_binaries(entry.binaries, kernel, read)
    for launch in launched(plan):
        if not code.get((launch.kernel, launch.config)):
            raise ValueError(f"there is no code for {launch}")
    return code


def read_binaries(headers: Sequence[Any], kernel: Kernel, read: ReadMember) -> list[Binary]:
    """The binaries of one kernel, whose parameters they must take. Raises ValueError."""
    kinds = [parameter.kind for parameter in kernel.parameters]
    binaries = []
    for header in headers:
        cubin, ptx = header.get("cubin"), header.get("ptx")
        if not isinstance(cubin, str) or not isinstance(ptx, str | None):
            raise ValueError(f"{cubin!r:.60} and {ptx!r:.60} are no names of code")
        try:
            text = read(ptx).decode() if ptx is not None else ""
            binary = Binary.from_header(header, read(cubin), text)
        except RoasteryError as error:  # an unknown target
            raise ValueError(error.message) from error
        visible = [kind for kind in binary.arguments if kind not in HIDDEN]
        if visible != kinds or list(binary.arguments[: len(kinds)]) != kinds:
            raise ValueError(f"the code takes {binary.arguments}, the plan gives {kinds}")
        binaries.append(binary)
    return binaries
