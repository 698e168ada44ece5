"""The schema of prototxt files: Caffe's messages, what forks added, and what users declare."""

from __future__ import annotations

from . import caffe_layers, caffe_legacy, caffe_nets, forks
from .registry import (
    REGISTRY,
    SchemaError,
    declare_enum,
    declare_message,
    extend_enum,
    extend_message,
    message_type,
)
from .types import EnumType, FieldType, MessageType, enum, optional, repeated, required

__all__ = [
    "EnumType",
    "FieldType",
    "MessageType",
    "REGISTRY",
    "SchemaError",
    "declare_enum",
    "declare_message",
    "enum",
    "extend_enum",
    "extend_message",
    "message_type",
    "optional",
    "repeated",
    "required",
    # imported for what they declare
    "caffe_layers",
    "caffe_legacy",
    "caffe_nets",
    "forks",
]
