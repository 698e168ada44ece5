"""numpy's names."""

from __future__ import annotations

import builtins
from types import ModuleType
from typing import Any

from .registry import Offer


def mend_numpy(np: ModuleType, offer: Offer) -> None:
    aliases = {
        "Inf": "inf", "Infinity": "inf", "NaN": "nan", "PINF": "inf", "alltrue": "all",
        "asscalar": None, "bool8": "bool_", "bytes0": "bytes_", "cfloat": "complex128",
        "clongfloat": "clongdouble", "complex_": "complex128", "cumproduct": "cumprod",
        "float_": "float64", "in1d": "isin", "infty": "inf", "int0": "intp",
        "longcomplex": "clongdouble", "longfloat": "longdouble", "mat": "asmatrix",
        "object0": "object_", "product": "prod", "round_": "round", "row_stack": "vstack",
        "singlecomplex": "complex64", "sometrue": "any", "str0": "str_", "string_": "bytes_",
        "trapz": "trapezoid", "uint0": "uintp", "unicode_": "str_",
    }  # fmt: skip
    found = {old: getattr(np, new) for old, new in aliases.items() if new and hasattr(np, new)}
    kinds: dict[str, Any] = {
        "int": int, "float": float, "object": object, "str": str, "complex": complex,
        "unicode": str,
    }  # fmt: skip
    # print [np.float64(1)] gave [1.0], and no [np.float64(1.0)].
    before = np.get_printoptions()["legacy"]
    np.set_printoptions(legacy="1.25")
    offer.afterwards(lambda: np.set_printoptions(legacy=before))
    # numpy 1 had Python's own here; numpy 2 has its bool and long under these names.
    offer.add(np, **kinds, **found)
    for name, kind in (("bool", np.bool_), ("long", int)):
        offer.add(np, **{name: kind})
    offer.add(
        np,
        NINF=-np.inf,
        NZERO=-0.0,
        PZERO=0.0,
        alen=lambda a: len(a) if np.ndim(a) else 1,
        asfarray=lambda a, dtype=None: np.asarray(a, dtype or np.float64),
        asscalar=lambda a: np.asarray(a).item(),
        cast=_Cast(np),
        disp=lambda value, *args, **kwargs: builtins.print(value),
        find_common_type=lambda arrays, scalars: np.result_type(*arrays, *scalars),
        getbuffer=lambda a, *args: memoryview(a),
        issubclass_=lambda one, two: isinstance(one, type) and issubclass(one, two),
        issubsctype=lambda one, two: np.issubdtype(_kind(np, one), _kind(np, two)),
        loads=_loads,
        msort=lambda a: np.sort(a, axis=0),
        nbytes=_Bytes(np),
        obj2sctype=lambda value, default=None: np.dtype(value).type,
        rank=np.ndim,
        safe_eval=_safe_eval,
        sctypes=_kinds(np),
        source=lambda value: builtins.print(value),
        typeDict=np.sctypeDict,
        who=lambda names=None: None,
        set_string_function=lambda function=None, repr=True: None,
        fastCopyAndTranspose=lambda a: np.asarray(a).T.copy(),
        recfromcsv=lambda *args, **kwargs: _records(np, args, {"delimiter": ",", **kwargs}),
        recfromtxt=lambda *args, **kwargs: _records(np, args, kwargs),
    )


class _Cast(dict[Any, Any]):
    """``np.cast[kind](values)``, or ``np.cast["int32"]``."""

    def __init__(self, np: ModuleType) -> None:
        super().__init__()
        self._np = np

    def __missing__(self, kind: Any) -> Any:
        return lambda values: self._np.asarray(values).astype(kind)


class _Bytes(dict[Any, int]):
    """``np.nbytes[kind]``."""

    def __init__(self, np: ModuleType) -> None:
        super().__init__()
        self._np = np

    def __missing__(self, kind: Any) -> int:
        return int(self._np.dtype(kind).itemsize)


def _kind(np: ModuleType, value: Any) -> Any:
    return value.dtype if isinstance(value, np.ndarray) else value


def _kinds(np: ModuleType) -> dict[str, list[Any]]:
    return {
        "int": [np.int8, np.int16, np.int32, np.int64],
        "uint": [np.uint8, np.uint16, np.uint32, np.uint64],
        "float": [np.float16, np.float32, np.float64, np.longdouble],
        "complex": [np.complex64, np.complex128, np.clongdouble],
        "others": [builtins.bool, object, bytes, str, np.void],
    }


def _records(np: ModuleType, args: Any, kwargs: Any) -> Any:
    words = {"names": True, "dtype": None, "encoding": "utf-8", **kwargs}
    return np.genfromtxt(*args, **words).view(np.recarray)


def _loads(data: Any) -> Any:
    import pickle

    return pickle.loads(data, encoding="latin-1")


def _safe_eval(text: str) -> Any:
    import ast

    return ast.literal_eval(text)
