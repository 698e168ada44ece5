"""The flags that say how files are read. ``roastery.cli.main`` heeds them for all commands."""

from __future__ import annotations

from .command import Flag

#: For a command that may read pictures.
IMAGE_FLAG = Flag(
    "max_image_pixels",
    "refuse pictures that say they are larger than this many pixels; without it "
    "ROASTERY_MAX_IMAGE_PIXELS decides, then 200 million",
    "int",
    minimum=1,
    maximum=1 << 62,
    metavar="N",
    brief="refuse pictures that say they are larger",
)

#: For a command that reads nets or weights.
DIALECT_FLAG = Flag(
    "dialect",
    "the fork whose text or bytes the files are, where forks differ: nvcaffe, intel, ssd ...; "
    "without it ROASTERY_DIALECT decides, then what binary files show (`roastery help forks`)",
    default=None,
    metavar="NAME",
)
