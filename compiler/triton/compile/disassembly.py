"""The instructions of a cubin: nvdisasm's text, read."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from ir.errors import RoasteryError

_LABEL = re.compile(r"\s*\.?(L_x_\d+):")
_LINE = re.compile(r"/\*[0-9a-f]{4,}\*/\s+(?:@(!?U?P[T\d]+)\s+)?([A-Z][\w.]*)\s*(.*?)\s*;")
_TARGET = re.compile(r"\(\.(L_x_\d+)\)")
_NEVER = ("!PT", "!UPT")


@dataclass(frozen=True, slots=True)
class Instruction:
    """``guard``: the predicate under which it runs, empty where it always does; ``operation``: its
    name with modifiers (``LDG.E.128``); ``target``: the place that a branch goes to."""

    guard: str
    operation: str
    operands: str
    target: int | None = None

    @property
    def name(self) -> str:
        """Without modifiers."""
        return self.operation.partition(".")[0]

    @property
    def runs(self) -> bool:
        """Whether it ever does: the assembler puts some behind a predicate that is never true."""
        return self.guard not in _NEVER

    @property
    def falls_through(self) -> bool:
        """Whether the next one may follow."""
        ends = self.name in ("BRA", "EXIT", "RET", "BRX", "JMP", "JMX")
        # A second predicate among the operands: BRA P0, `(.L_x_1).
        return not ends or bool(self.guard) or bool(re.match(r"!?U?P\d", self.operands))


def disassembled(cubin: bytes, triton: Path | None = None) -> list[Instruction]:
    """The instructions of all functions of a cubin, in order.

    ``triton``: a folder of packages whose nvdisasm is used instead of the installed Triton's.
    """
    with tempfile.NamedTemporaryFile(suffix=".cubin") as file:
        file.write(cubin)
        file.flush()
        command = [str(_nvdisasm(triton)), "-c", file.name]
        done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise RoasteryError(f"nvdisasm cannot read a kernel: {done.stderr.strip()[:400]}")
    return read_instructions(done.stdout)


def read_instructions(text: str) -> list[Instruction]:
    """Of what ``nvdisasm -c`` prints."""
    found: list[tuple[str, str, str]] = []
    labels: dict[str, int] = {}
    for line in text.splitlines():
        if label := _LABEL.match(line):
            labels[label[1]] = len(found)
        elif instruction := _LINE.search(line):
            guard, operation, operands = instruction.groups(default="")
            found.append((guard, operation, operands))
    return [
        Instruction(*parts, labels.get(target[1]) if (target := _target(parts)) else None)
        for parts in found
    ]


def _target(parts: tuple[str, str, str]) -> re.Match[str] | None:
    return _TARGET.search(parts[2]) if parts[1].startswith(("BRA", "JMP")) else None


def _nvdisasm(triton: Path | None) -> Path:
    """Where Triton has it, which is not imported."""
    if triton is not None:
        package = triton / "triton"
    else:
        spec = importlib.util.find_spec("triton")
        if spec is None or not spec.submodule_search_locations:
            raise RoasteryError(
                "reading machine code needs Triton, which is not installed",
                hint="pip install roastery[gpu]",
            )
        package = Path(next(iter(spec.submodule_search_locations)))
    return package / "backends" / "nvidia" / "bin" / "nvdisasm"
