"""The files of the ``caffe`` that `roastery link` puts into an environment.

When it is imported ``roastery.caffe`` steps in its place; all but one file are for editors, which
read and do not run.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

_INIT = '''\
"""``import caffe`` is Roastery here: made by `roastery link`; `roastery unlink` removes it."""

import sys

try:
    import roastery.caffe
except ModuleNotFoundError as error:
    if error.name != "roastery":
        raise
    raise ImportError(
        f"{__file__} stands for roastery.caffe, and roastery is not installed any more: "
        "install it, or delete this folder"
    ) from None

del sys.modules[__name__]
roastery.caffe.install()
sys.modules[__name__] = roastery.caffe
'''

_MESSAGES = '''\
"""Caffe's messages: made by `roastery link`, for editors."""

from typing import Any

from google.protobuf.internal.enum_type_wrapper import EnumTypeWrapper
from google.protobuf.message import Message

def __getattr__(name: str) -> Any: ...
'''

_SPEC = '''\
"""Nets written in Python: made by `roastery link`, for editors."""

from typing import Any

from roastery.caffe.net_spec import Function as Function
from roastery.caffe.net_spec import NetSpec as NetSpec
from roastery.caffe.net_spec import Top as Top
from roastery.caffe.net_spec import assign_proto as assign_proto
from roastery.caffe.net_spec import param_name_dict as param_name_dict
from roastery.caffe.net_spec import to_proto as to_proto

'''


def link_files() -> Mapping[str, str]:
    """What each file holds, by its path below the package's folder."""
    from ..caffe import modes

    modules = Path(modes.__file__).parent.glob("*.py")
    names = sorted(path.stem for path in modules if path.stem != "__init__")
    files = {f"{name}.pyi": f"from roastery.caffe.{name} import *\n" for name in names}
    return files | {
        "__init__.py": _INIT,
        "__init__.pyi": _interface(names),
        "py.typed": "",
        "net_spec.pyi": _SPEC + _layers() + _parameters(),
        "proto/__init__.pyi": "from . import caffe_pb2 as caffe_pb2\n",
        "proto/caffe_pb2.pyi": _MESSAGES + _messages(),
    }


def _interface(names: list[str]) -> str:
    from ..caffe import __all__ as public

    submodules = [name for name in names if name.isidentifier() and not name.startswith("_")]
    here = {"layers", "params", "io", "proto", "__version__"}
    own = [name for name in public if name not in here]
    lines = ['"""``caffe`` as Roastery has it: made by `roastery link`, for editors."""', ""]
    lines += [f"from roastery.caffe import {name} as {name}" for name in sorted(own)]
    lines += ["from . import proto as proto"]
    lines += [f"from . import {name} as {name}" for name in submodules]
    lines += ["from .net_spec import layers as layers", "from .net_spec import params as params"]
    return "\n".join([*lines, "", "__version__: str", ""])


def _layers() -> str:
    """``layers.Convolution(...)`` and the others, by name."""
    from frontends.lowering.known_layers import layer_types

    lines = ["class _Layers:"]
    for name in sorted(layer_types()):
        if name.isidentifier():
            lines.append(
                f"    def {name}(self, *bottoms: Top, ntop: int = ..., in_place: bool = ..., "
                "**fields: Any) -> Any: ..."
            )
    lines += ["    def __getattr__(self, name: str) -> Any: ...", "", "layers: _Layers", ""]
    return "\n".join(lines)


def _parameters() -> str:
    """``params.Pooling.MAX`` and the others: the values of enums."""
    lines: list[str] = []
    members = []
    for name, message in _message_types().items():
        kind = name.removesuffix("Parameter")
        values = [value.name for enum in message.enum_types for value in enum.values]
        if kind == name or not kind or not values:
            continue
        lines += [f"class _{kind}:", *(f"    {value}: int" for value in values)]
        members.append(f"    {kind}: _{kind}")
    members.append("    def __getattr__(self, name: str) -> Any: ...")
    return "\n".join([*lines, "class _Parameters:", *members, "", "params: _Parameters", ""])


def _messages() -> str:
    from ..caffe.proto import caffe_pb2

    lines: list[str] = []
    for name, message in _message_types().items():
        lines += ["", f"class {name}(Message):"]
        for enum in message.enum_types:
            lines += [f"    {enum.name}: EnumTypeWrapper"]
            lines += [f"    {value.name}: int" for value in enum.values]
        lines += [f"    {field.name}: {_type(field)}" for field in message.fields]
        lines += ["    def __init__(self, **fields: Any) -> None: ..."]
    for enum in caffe_pb2.DESCRIPTOR.enum_types_by_name.values():
        lines += ["", f"{enum.name}: EnumTypeWrapper"]
        lines += [f"{value.name}: int" for value in enum.values]
    return "\n".join([*lines, ""])


def _message_types() -> dict[str, Any]:
    from ..caffe.proto import caffe_pb2

    return dict(sorted(caffe_pb2.DESCRIPTOR.message_types_by_name.items()))


def _type(field: Any) -> str:
    """What a field holds, as far as an editor needs it; lists are protobuf's own."""
    if getattr(field, "is_repeated", False) or field.message_type is not None:
        return "Any"
    kinds = {
        field.CPPTYPE_STRING: "bytes" if field.type == field.TYPE_BYTES else "str",
        field.CPPTYPE_BOOL: "bool",
        field.CPPTYPE_FLOAT: "float",
        field.CPPTYPE_DOUBLE: "float",
    }
    return kinds.get(field.cpp_type, "int")
