"""Whether two graphs compute the same: both run on random inputs."""

from __future__ import annotations

import math
import zlib

import numpy as np

from compiler.precision import FLOAT32
from ir.byte_size import byte_size
from ir.errors import RoasteryError
from ir.graph import Graph, Port, Role
from ir.graph_sizes import graph_at_hand
from ir.interpret import peak_bytes
from ir.printable import readable
from ir.types import BOOL, shape_text
from runtime.machine.memory import physical_memory

from .running import GraphRunner, ReferenceRunner

_NOISE = 1e-9

_Key = tuple[Role, str]


class Expected:
    """What a graph computes, to hold what passes make of it against.

    The reference runs it twice: on numbers around zero, and on positive ones (a logarithm or a
    root of a negative number would say nothing). Integers are 0 and 1, or all 0. Every input has
    its own random numbers, by its name.

    Args:
        run: what runs the other graphs.
        precision: of the other graphs.

    Raises RoasteryError where the graph cannot run.
    """

    def __init__(
        self,
        graph: Graph,
        seed: int = 0,
        run: GraphRunner | None = None,
        precision: str = FLOAT32,
    ) -> None:
        reference = ReferenceRunner()
        self._seed = seed
        self._run_other = run or reference
        self._tolerance = self._run_other.tolerance(precision)
        self._runs: list[tuple[bool, dict[_Key, np.ndarray]]] = []
        refused: Exception | None = None
        for positive in (False, True):
            try:
                self._runs.append((positive, self._run(graph, positive, reference)))
            except RoasteryError:
                raise
            except Exception as error:  # such as a label that is too large, in text from anywhere
                refused = error
        if not self._runs:
            what = f"{type(refused).__name__}: {refused}"
            raise RoasteryError(f"the graph does not run on random inputs: {what}") from refused

    def unknown(self) -> list[str]:
        """Names of outputs that hold no finite number in any run: no difference would show."""
        finite = {key for _, run in self._runs for key, a in run.items() if np.isfinite(a).any()}
        return [key[1] for key, a in self._runs[0][1].items() if a.size and key not in finite]

    def differences(self, graph: Graph) -> list[str]:
        """A line for every output that another graph gives otherwise; new outputs do not count."""
        found: dict[_Key, str] = {}
        for positive, expected in self._runs:
            try:
                results = self._run(graph, positive, self._run_other)
            except Exception as error:  # a wrong pass may bring about anything
                return [readable(f"it does not run: {type(error).__name__}: {error}")]
            for key, want in expected.items():
                have = results.get(key)
                text = "is gone" if have is None else _difference(want, have, self._tolerance)
                if text:
                    found.setdefault(key, readable(f"output '{key[1]}' ({key[0].value}) {text}"))
        return list(found.values())

    def _run(self, graph: Graph, positive: bool, run: GraphRunner) -> dict[_Key, np.ndarray]:
        graph = graph_at_hand(graph)
        _check_memory(graph)
        results = run(graph, [self._input(port, positive) for port in graph.inputs])
        return {(p.role, p.name): a for p, a in zip(graph.outputs, results, strict=True)}

    def _input(self, port: Port, positive: bool) -> np.ndarray:
        rng = np.random.default_rng([self._seed, _number(f"{port.role.value} {port.name}")])
        shape, dtype = port.value.shape, port.value.type.dtype
        if dtype.is_float:
            array = rng.standard_normal(shape)
            if port.role is Role.PARAMETER and len(shape) > 1 and shape[0]:
                # As fillers do, so that no depth of layers makes numbers too large for float32.
                count = array.size / shape[0]
                array /= max(count if positive else math.sqrt(count), 1.0)
            array = array.astype(np.float32).astype(np.float64)
            return np.abs(array) if positive else array
        bits = rng.integers(0, 2, shape)
        return np.asarray(bits * (not positive or dtype is BOOL), dtype.numpy)


def _check_memory(graph: Graph) -> None:
    """Refuse a graph whose values, in double precision, exceed the machine's memory."""
    need, there = 2 * peak_bytes(graph), physical_memory()
    if need > there:
        raise RoasteryError(
            f"to run graph '{graph.name}' takes {byte_size(need)}; this machine has "
            f"{byte_size(there)} of memory",
            hint="use a smaller batch",
        )


def _number(text: str) -> int:
    return zlib.crc32(text.encode("utf-8", "surrogateescape"))


def _difference(want: np.ndarray, have: np.ndarray, tolerance: float) -> str:
    """How ``have`` differs from ``want``; empty if it does not, but for rounding."""
    if want.shape != have.shape:
        return f"has shape {shape_text(have.shape)} instead of {shape_text(want.shape)}"
    a, b = np.asarray(want, np.float64), np.asarray(have, np.float64)
    same = (a == b) | (np.isnan(a) & np.isnan(b))
    with np.errstate(all="ignore"):
        off = np.where(same, 0.0, np.abs(a - b))
    largest = np.abs(a[np.isfinite(a)]).max(initial=0.0)
    wrong = ~(off <= tolerance * largest + _NOISE)
    if not wrong.any():
        return ""
    at = np.unravel_index(np.nanargmax(np.where(np.isnan(off), np.inf, off)), off.shape)
    place = f" at ({', '.join(map(str, at))})" if at else ""
    return (
        f"differs by up to {off[at]:.3g}{place}: {a[at]:.6g} before, {b[at]:.6g} after; "
        f"{np.count_nonzero(wrong)} of {wrong.size} elements are wrong"
    )
