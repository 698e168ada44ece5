"""What protoc makes of Caffe's caffe.proto: message classes and enums, from Roastery's schema.

They are real protobuf classes, for ``google.protobuf.text_format`` and the like. They live in a
descriptor pool of their own, so that another caffe.proto in the process does no harm.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from google.protobuf.internal.enum_type_wrapper import EnumTypeWrapper

from frontends.schema.pool import caffe_pb2 as _make_classes

_classes = {
    name: value for name, value in vars(_make_classes()).items() if not name.startswith("__")
}
globals().update(_classes)
globals().update(
    (name, EnumTypeWrapper(enum))
    for name, enum in _classes["DESCRIPTOR"].enum_types_by_name.items()
)

if TYPE_CHECKING:

    def __getattr__(name: str) -> Any: ...
