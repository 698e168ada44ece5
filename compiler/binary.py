"""Compiled kernels: machine code with what a launcher must know to call it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from .architecture import Architecture

# Hidden pointers that Triton appends to every kernel's parameters, in this order.
HIDDEN = ("global_scratch", "profile_scratch")
KINDS = ("pointer", "i32", "i64", "f32", *HIDDEN)


@dataclass(frozen=True, slots=True)
class Resources:
    """What one thread or block of a kernel takes, as ``cuobjdump -res-usage`` reports it."""

    registers: int  # per thread
    stack: int  # bytes per thread; spilled registers live here
    local: int  # bytes per thread of local memory
    shared: int  # bytes per block, allocated at the launch

    @property
    def spills(self) -> bool:
        return self.stack > 0 or self.local > 0


@dataclass(frozen=True, slots=True)
class Binary:
    """One kernel in one configuration for one architecture.

    ``arguments`` are the kinds of the parameters in order, Triton's hidden pointers
    included. ``scratch`` is the bytes per program and the alignment of the memory that the
    ``global_scratch`` pointer must point to, (0, 1) where it may be null. ``early``: whether it
    waits by itself for the launch before it, and so may begin while that ends.
    """

    entry: str
    architecture: Architecture
    num_warps: int
    arguments: tuple[str, ...]
    scratch: tuple[int, int]
    resources: Resources
    triton: str  # the version that made it
    cubin: bytes
    ptx: str
    early: bool = False

    @property
    def threads(self) -> int:
        """Threads per block."""
        return 32 * self.num_warps

    def header(self) -> dict[str, Any]:
        """Everything but the code, as plain JSON data."""
        used = self.resources
        return {
            "entry": self.entry,
            "target": str(self.architecture),
            "num_warps": self.num_warps,
            "arguments": list(self.arguments),
            "scratch": list(self.scratch),
            "registers": used.registers,
            "stack": used.stack,
            "local": used.local,
            "shared": used.shared,
            "triton": self.triton,
            **({"early": True} if self.early else {}),
        }

    @staticmethod
    def from_header(header: dict[str, Any], cubin: bytes, ptx: str) -> Binary:
        """Inverse of :meth:`header`. Raises ValueError for anything malformed."""
        expected = {
            "entry": str,
            "target": str,
            "num_warps": int,
            "arguments": list,
            "scratch": list,
            "registers": int,
            "stack": int,
            "local": int,
            "shared": int,
            "triton": str,
        }
        for name, kind in expected.items():
            if type(header.get(name)) is not kind:
                raise ValueError(f"binary: {name} must be {kind.__name__}: {header.get(name)!r}")
        if type(early := header.get("early", False)) is not bool:
            raise ValueError(f"binary: early must be bool: {early!r}")
        arguments, scratch = header["arguments"], header["scratch"]
        if not all(kind in KINDS for kind in arguments):
            raise ValueError(f"binary: unknown kind of argument in {arguments}")
        if len(scratch) != 2 or not all(type(n) is int and n >= 0 for n in scratch):
            raise ValueError(f"binary: bad scratch {scratch}")
        if not 1 <= header["num_warps"] <= 32:
            raise ValueError(f"binary: {header['num_warps']} warps")
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,255}", header["entry"]):
            raise ValueError(f"binary: bad entry name {header['entry'][:80]!r}")
        return Binary(
            entry=header["entry"],
            architecture=Architecture.parse(header["target"]),
            num_warps=header["num_warps"],
            arguments=tuple(arguments),
            scratch=(scratch[0], scratch[1]),
            resources=Resources(
                *(max(header[n], 0) for n in ("registers", "stack", "local", "shared"))
            ),
            triton=header["triton"],
            cubin=cubin,
            ptx=ptx,
            early=early,
        )
