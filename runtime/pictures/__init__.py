"""Pictures as inputs of nets, with numpy alone."""

from .preprocessing import Preprocessing
from .scaling import scale_picture

__all__ = ["Preprocessing", "scale_picture"]
