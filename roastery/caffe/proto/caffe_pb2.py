"""What protoc makes of Caffe's caffe.proto: message classes and enums, from Roastery's schema.

They are real protobuf classes, for ``google.protobuf.text_format`` and the like. They live in a
descriptor pool of their own, so that another caffe.proto in the process does no harm.

With a dialect (``ROASTERY_DIALECT=ssd``, ``roastery python --dialect=ssd``) when this module is
first imported, they are those of that fork.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from google.protobuf.internal.enum_type_wrapper import EnumTypeWrapper

from frontends.dialect import asked_dialect as _asked_dialect
from frontends.dialect import dialect_pb2 as _dialect_classes
from frontends.lowering.known_layers import load_layers as _load_layers
from frontends.schema.pool import caffe_pb2 as _caffe_classes

_dialect = _asked_dialect()
if _dialect is not None:
    _load_layers()  # those of forks declare their parameters when they are imported
_module = _caffe_classes() if _dialect is None else _dialect_classes(_dialect)
_classes = {name: value for name, value in vars(_module).items() if not name.startswith("__")}
globals().update(_classes)
globals().update(
    (name, EnumTypeWrapper(enum))
    for name, enum in _classes["DESCRIPTOR"].enum_types_by_name.items()
)

if TYPE_CHECKING:

    def __getattr__(name: str) -> Any: ...
