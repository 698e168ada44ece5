"""Fields and messages of Caffe's forks, known in text only and by name."""

from __future__ import annotations

from .registry import declare_message, extend_message
from .types import optional

declare_message("FreeBlock", free=True)
extend_message("LayerParameter", optional("FreeBlock", "user_param"))
