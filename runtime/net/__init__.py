"""Nets that run: partitions of a program, each planned for the sizes that it reads."""

from .blobs import BlobBuffers
from .net import PartitionedNet

__all__ = ["BlobBuffers", "PartitionedNet"]
