"""``numpy``, ``array``: what they took of old, sizes that are floats, text that holds bytes."""

from __future__ import annotations

import array
from types import ModuleType
from typing import Any

from ..arithmetic import widen_numbers
from ..byte_string import as_string, to_bytes


def _whole(value: Any) -> Any:
    """A size; a float with no fraction was one."""
    if isinstance(value, tuple | list):
        return tuple(map(_whole, value))
    kind = getattr(getattr(value, "dtype", None), "kind", "")
    number = getattr(value, "ndim", 0) == 0
    return int(value) if number and (isinstance(value, float) or kind == "f") else value


def _sized(function: Any, place: int, word: str) -> Any:
    """A function whose argument at this place is a size."""

    def call(*args: Any, **kwargs: Any) -> Any:
        if len(args) > place:
            args = (*args[:place], _whole(args[place]), *args[place + 1 :])
        if word in kwargs:
            kwargs[word] = _whole(kwargs[word])
        return function(*args, **kwargs)

    call.__name__ = function.__name__
    call.__doc__ = function.__doc__
    return call


class _Array(array.array):
    """An array with the methods that were named after strings."""

    def __repr__(self) -> str:
        return super().__repr__().replace("_Array", "array", 1)

    def fromstring(self, data: Any) -> None:
        self.frombytes(to_bytes(data))

    def tostring(self) -> Any:
        return as_string(self.tobytes())

    def fromfile(self, file: Any, count: int) -> None:
        super().fromfile(_stream(file), count)

    def tofile(self, file: Any) -> None:
        super().tofile(_stream(file))

    read, write = fromfile, tofile


def _stream(file: Any) -> Any:
    from ..files import binary_stream

    return binary_stream(file)


def array_names(real: ModuleType) -> dict[str, Any]:
    def made(code: Any, values: Any = ()) -> Any:
        code = {"c": "b"}.get(str(code), str(code))
        return _Array(code, to_bytes(values))

    class Kind(type):
        def __instancecheck__(cls, value: Any) -> bool:
            return isinstance(value, array.array)

        def __call__(cls, *args: Any) -> Any:
            return made(*args)

    kind = Kind("array", (), {"__doc__": array.array.__doc__})
    return {"array": kind, "ArrayType": kind}


def numpy_names(np: ModuleType) -> dict[str, Any]:
    widen_numbers(np)

    def made(function: Any) -> Any:
        """Rows of different lengths make an array of objects."""

        def array(value: Any, dtype: Any = None, *args: Any, **kwargs: Any) -> Any:
            try:
                return function(value, dtype, *args, **kwargs)
            except OverflowError:  # numbers that it does not hold wrapped
                return function(value, None, *args, **kwargs).astype(dtype)
            except ValueError as error:
                if dtype is not None or "inhomogeneous" not in str(error):
                    raise
            return function(value, object, *args, **kwargs)

        array.__name__ = function.__name__
        array.__doc__ = function.__doc__
        return array

    def fromstring(string: Any, dtype: Any = float, count: int = -1, sep: str = "") -> Any:
        if sep:
            text = string.decode() if isinstance(string, bytes) else string
            return np.fromstring(text, dtype, count, sep=sep)
        data = string.encode("latin-1") if isinstance(string, str) else string
        return np.frombuffer(data, dtype, count).copy()

    def frombuffer(buffer: Any, *args: Any, **kwargs: Any) -> Any:
        return np.frombuffer(to_bytes(buffer), *args, **kwargs)

    def load(file: Any, *args: Any, **kwargs: Any) -> Any:
        from ..files import binary_stream

        if len(args) < 2:
            kwargs.setdefault("allow_pickle", True)
        kwargs.setdefault("encoding", "latin1")
        return np.load(binary_stream(file), *args, **kwargs)

    def save(file: Any, *args: Any, **kwargs: Any) -> Any:
        from ..files import binary_stream

        return np.save(binary_stream(file), *args, **kwargs)

    def loadtxt(name: Any, dtype: Any = float, *args: Any, **kwargs: Any) -> Any:
        if kwargs.get("delimiter") == "\n":  # whole lines, which numpy refuses now
            return np.array([line for line in _lines(name) if line.strip()], dtype)
        return np.loadtxt(name, dtype, *args, **kwargs)

    def stacks(name: str) -> Any:
        """One that took the rows of a generator."""
        function = getattr(np, name)

        def stack(tup: Any, *args: Any, **kwargs: Any) -> Any:
            return function(tup if hasattr(tup, "__len__") else list(tup), *args, **kwargs)

        stack.__name__ = name
        stack.__doc__ = function.__doc__
        return stack

    stacked = ("column_stack", "dstack", "hstack", "row_stack", "vstack")
    sizes = {"zeros": 0, "ones": 0, "empty": 0, "full": 0, "eye": 0, "identity": 0}
    words = {"zeros": "shape", "ones": "shape", "empty": "shape", "full": "shape", "eye": "N"}
    sized = {
        name: _sized(getattr(np, name), at, words.get(name, "n")) for name, at in sizes.items()
    }
    return {
        **sized,
        **{name: stacks(name) for name in stacked if hasattr(np, name)},
        "array": made(np.array),
        "asarray": made(np.asarray),
        "frombuffer": frombuffer,
        "fromstring": fromstring,
        "linspace": _sized(np.linspace, 2, "num"),
        "load": load,
        "loadtxt": loadtxt,
        "random": _random(np.random),
        "repeat": _sized(np.repeat, 1, "repeats"),
        "reshape": _sized(np.reshape, 1, "shape"),
        "save": save,
        "tile": _sized(np.tile, 1, "reps"),
    }


def pylab_names(real: ModuleType) -> dict[str, Any]:
    """``from pylab import *`` gives numpy's functions, and numpy itself."""
    import numpy

    from .registry import facade

    np = facade("numpy", numpy)
    return numpy_names(numpy) | {"np": np, "numpy": np, "random": _random(numpy.random)}


def _lines(name: Any) -> list[str]:
    if hasattr(name, "read"):
        return [str(line).rstrip("\r\n") for line in name]
    with open(name, encoding="utf-8", errors="surrogateescape") as file:
        return file.read().splitlines()


def _random(module: ModuleType) -> ModuleType:
    from .registry import facade

    return facade("numpy.random", module)


def random_names(module: ModuleType) -> dict[str, Any]:
    sizes = {"choice": 1, "normal": 2, "random_sample": 0, "randint": 2, "random": 0, "uniform": 2}
    return {name: _sized(getattr(module, name), at, "size") for name, at in sizes.items()} | {
        "permutation": _sized(module.permutation, 0, "x"),
        "random_integers": lambda low, high=None, size=None: (
            module.randint(1, low + 1, size)
            if high is None
            else module.randint(low, high + 1, size)
        ),
    }
