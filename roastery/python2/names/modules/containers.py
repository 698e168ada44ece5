"""``itertools``, ``collections``, ``operator``, ``types``, ``sets``, ``UserDict`` and the like."""

from __future__ import annotations

import collections
import collections.abc
import io
import itertools
import math
import operator
import types
from types import ModuleType
from typing import Any


def itertools_names(real: ModuleType) -> dict[str, Any]:
    return {
        "ifilter": filter,
        "ifilterfalse": itertools.filterfalse,
        "imap": map,
        "izip": zip,
        "izip_longest": itertools.zip_longest,
    }


def collections_names(real: ModuleType) -> dict[str, Any]:
    return {name: getattr(collections.abc, name) for name in collections.abc.__all__}


def operator_names(real: ModuleType) -> dict[str, Any]:
    from ..division import py2_div, py2_idiv

    return {
        "div": py2_div,
        "idiv": py2_idiv,
        "isCallable": callable,
        "isMappingType": lambda value: isinstance(value, collections.abc.Mapping),
        "isNumberType": lambda value: isinstance(value, int | float | complex),
        "isSequenceType": lambda value: isinstance(value, collections.abc.Sequence),
        "repeat": operator.mul,
        "sequenceIncludes": operator.contains,
    }


def types_names(real: ModuleType) -> dict[str, Any]:
    from ..builtins import basestring, unicode

    return {
        "BooleanType": bool,
        "BufferType": memoryview,
        "ClassType": type,
        "ComplexType": complex,
        "DictType": dict,
        "DictionaryType": dict,
        "EllipsisType": type(Ellipsis),
        "FileType": io.IOBase,
        "FloatType": float,
        "InstanceType": object,
        "IntType": int,
        "ListType": list,
        "LongType": int,
        "NoneType": type(None),
        "ObjectType": object,
        "SliceType": slice,
        "StringType": str,
        "StringTypes": basestring,
        "TupleType": tuple,
        "TypeType": type,
        "UnboundMethodType": types.FunctionType,
        "UnicodeType": unicode,
        "XRangeType": range,
    }


def sets() -> dict[str, Any]:
    return {"Set": set, "ImmutableSet": frozenset, "BaseSet": collections.abc.Set}


def user_dict() -> dict[str, Any]:
    return {
        "UserDict": collections.UserDict,
        "IterableUserDict": collections.UserDict,
        "DictMixin": collections.abc.MutableMapping,
    }


def fractions_names(real: ModuleType) -> dict[str, Any]:
    return {"gcd": math.gcd}
