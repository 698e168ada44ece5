"""Launches kernels under Triton's interpreter, on arrays in the CPU's memory.

Triton decides between compiler and interpreter when it is first imported, so a process
does one or the other. Arguments are handed over as typed interpreter tensors: a pointer
is the array's own address (nothing is copied), and integers and floats get the width of
the kernel's parameter, which Triton would otherwise guess from the value.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import linecache
import os
import sys
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from compiler.kernel import Config, Kernel, Parameter
from ir.errors import RoasteryError
from ir.types import DType
from roastery.files.cache_folder import PrivateFolder

from .bounds import Extent, watched
from .idle_checks import skip_idle_checks
from .known_types import keep_known_types
from .narrow_floats import mend_narrow_floats
from .program_order import Grid, Order, ordered, programs_in
from .scalar_booleans import mend_scalar_booleans

# Triton's names of element types, as attributes of triton.language.
_ELEMENTS = {
    DType.F64: "float64",
    DType.F32: "float32",
    DType.F16: "float16",
    DType.BF16: "bfloat16",
    DType.I32: "int32",
    DType.U32: "uint32",
    DType.BOOL: "int1",
}
_SCALARS: dict[str, tuple[str, type[np.generic]]] = {
    "i32": ("int32", np.int32),
    "i64": ("int64", np.int64),
    "f32": ("float32", np.float32),
}


class InterpretLauncher:
    """Runs launches one program of the grid after the other.

    ``folder`` gets the kernels' files, for people to read; by default a part of the cache
    folder. What runs is the text in memory: a file that somebody changed is not read back.
    ``check``: every load and store must lie inside of the launch's buffers, padding included, and
    no program may touch what another one writes. ``order``: in which the programs of a launch
    run; by default ascending.

    Raises :class:`RoasteryError` when Triton is missing or already set to compile.
    """

    def __init__(
        self, folder: Path | None = None, *, check: bool = True, order: Order | None = None
    ) -> None:
        self._triton = interpreting_triton()
        self._check = check
        self._order = order
        self._folder = (
            PrivateFolder.in_cache("interpreted") if folder is None else PrivateFolder(folder)
        )
        self._functions: dict[str, Any] = {}

    def prepare(
        self,
        kernel: Kernel,
        config: Config,
        grid: Grid,
        arguments: Sequence[np.ndarray | int | float],
        written: Collection[int],
        name: str,
    ) -> Callable[[], None]:
        if 0 in grid:
            return _nothing
        if len(arguments) != len(kernel.parameters):
            given, taken = len(arguments), len(kernel.parameters)
            raise ValueError(f"{name}: {given} arguments for {taken} parameters")
        function = self._function(kernel)[grid]
        constants = dict(config.constants)
        handed, extents = [], []
        for number, (parameter, argument) in enumerate(
            zip(kernel.parameters, arguments, strict=True)
        ):
            if isinstance(argument, np.ndarray):
                handed.append(self._pointer(parameter, argument))
                start, end = argument.ctypes.data, argument.ctypes.data + argument.nbytes
                extents.append(Extent(parameter.name, start, end, number in written))
            else:
                handed.append(self._scalar(parameter, argument))
        watch = functools.partial(watched, extents) if self._check else contextlib.nullcontext
        turns: Callable[[], Any] = contextlib.nullcontext
        if self._order is not None:
            turns = functools.partial(ordered, programs_in(self._order, grid))

        # The arguments are kept alive as long as the launch.
        def run(held: Sequence[object] = arguments) -> None:
            try:
                # A GPU does not warn of infinities either.
                with np.errstate(all="ignore"), watch(), turns():
                    function(*handed, **constants)
            except Exception as error:
                raise KernelFailure(name, self._path(kernel), grid, config, error) from error

        return run

    def _path(self, kernel: Kernel) -> Path:
        return self._folder.folder / _file_name(kernel)

    def _function(self, kernel: Kernel) -> Any:
        function = self._functions.get(kernel.source)
        if function is None:
            name, data = _file_name(kernel), kernel.source.encode()
            if self._folder.read(name) != data:
                self._folder.write(name, data)
            function = _run(kernel.source, str(self._path(kernel)))[kernel.entry]
            self._functions[kernel.source] = function
        return function

    def _pointer(self, parameter: Parameter, array: np.ndarray) -> Any:
        """A ``tl.tensor`` that holds the address of the array."""
        if parameter.kind != "pointer" or parameter.dtype is None:
            raise ValueError(f"{parameter.name} is {parameter.kind}, a buffer was given")
        if array.dtype != parameter.dtype.numpy:
            raise ValueError(f"{parameter.name} points to {parameter.dtype}, given {array.dtype}")
        if not array.flags.c_contiguous:
            raise ValueError(f"{parameter.name}: the array must be contiguous")
        tl = self._triton.language
        kind = tl.pointer_type(getattr(tl, _ELEMENTS[parameter.dtype]))
        return self._tensor(np.array([array.ctypes.data], np.uint64), kind)

    def _scalar(self, parameter: Parameter, value: int | float) -> Any:
        if parameter.kind not in _SCALARS:
            raise ValueError(f"{parameter.name} is {parameter.kind}, the number {value} was given")
        name, dtype = _SCALARS[parameter.kind]
        return self._tensor(np.array([value], dtype), getattr(self._triton.language, name))

    def _tensor(self, data: np.ndarray, kind: Any) -> Any:
        from triton.runtime.interpreter import TensorHandle

        return self._triton.language.tensor(TensorHandle(data, kind), kind)


class KernelFailure(RuntimeError):
    """A kernel raised while it was interpreted: a defect of Roastery, named by its layer."""

    def __init__(self, name: str, path: Path, grid: Grid, config: Config, error: Exception) -> None:
        super().__init__(
            f"{name} failed in Triton's interpreter: {error.__cause__ or error}\n"
            f"  file {path}, grid {grid}, {dict(config.constants)}"
        )


def interpreting_triton() -> ModuleType:
    """Triton, imported so that it interprets.

    Raises :class:`RoasteryError` when it is missing or was imported to compile.
    """
    late = "triton" in sys.modules
    if not late:
        os.environ["TRITON_INTERPRET"] = "1"
    try:
        import triton
        import triton.language
    except ImportError as error:
        raise RoasteryError(
            "device 'interpret' needs Triton, which is not installed",
            hint="pip install roastery[gpu]",
        ) from error
    from triton.runtime.interpreter import InterpretedFunction

    # A function of Triton's own library tells how it was imported.
    if not isinstance(triton.language.softmax, InterpretedFunction):
        raise RoasteryError(
            "device 'interpret' was asked for after Triton had been imported to compile",
            hint="set TRITON_INTERPRET=1 in the environment, or use this device before "
            "anything imports triton",
        )
    os.environ["TRITON_INTERPRET"] = "1"  # read again where a kernel's file is imported
    mend_scalar_booleans()
    mend_narrow_floats()
    skip_idle_checks()
    keep_known_types()
    return triton


def _file_name(kernel: Kernel) -> str:
    digest = hashlib.sha256(kernel.source.encode()).hexdigest()[:24]
    return f"{kernel.entry}_{digest}.py"


def _run(source: str, name: str) -> dict[str, Any]:
    """The names that a kernel's text defines.

    ``@triton.jit`` asks for a function's source again: ``linecache`` gives it the text that ran,
    whatever a file of that name holds. Importing the file instead would also take compiled code
    from ``__pycache__`` beside it.
    """
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    names: dict[str, Any] = {"__name__": f"roastery_kernel_{Path(name).stem}", "__file__": name}
    exec(compile(source, name, "exec"), names)
    return names


def _nothing() -> None:
    """What an empty grid does."""
