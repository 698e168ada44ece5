"""Caffe's protobuf messages: ``from caffe.proto import caffe_pb2``."""

from . import caffe_pb2

__all__ = ["caffe_pb2"]
