"""The size that pictures are resized to: new_height and new_width."""

from __future__ import annotations

from .config import SourceConfig
from .image_limit import max_image_pixels
from .room import check_record


def check_new_size(config: SourceConfig, is_color: bool, height: int, width: int) -> None:
    """Refuse one of the two alone, and sizes that are too large to be made."""
    if (height > 0) != (width > 0):
        raise config.error(
            f"new_height is {height} and new_width is {width}",
            "new_height" if height > 0 else "new_width",
            "set both, or neither",
        )
    resized = (3 if is_color else 1, height, width)
    check_record(config, f"new_height is {height} and new_width is {width}", resized, "new_height")
    if height * width > max_image_pixels():
        raise config.error(
            f"new_height is {height} and new_width {width}; pictures of at most "
            f"{max_image_pixels()} pixels are made",
            "new_height",
            "set the size that the net wants; --max_image_pixels raises the limit",
        )
