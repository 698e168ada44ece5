"""The layerwise plan: a net run layer by layer, each layer reshaped when it runs."""

from .blobs import BlobBuffers
from .net import LayerwiseNet

__all__ = ["BlobBuffers", "LayerwiseNet"]
