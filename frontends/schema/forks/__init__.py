"""What forks of Caffe added to its messages, known in text only and by name.

Forks reuse each other's field numbers, so none is recorded: binary files are read through
layer names, types and blobs alone. Where two forks gave one name to different messages,
the message holds the fields of both. ``execution_only`` fields are accepted, named once in
a note, and mean nothing here.
"""

from __future__ import annotations

from . import (
    caffecontroll,
    detection,
    engines,
    faces,
    intel,
    jolibrain,
    leftovers,
    legacy,
    mobile,
    motion,
    mycaffe,
    nvidia,
    segmentation,
    synopsys,
    synopsys_layers,
    yolo,
)

__all__ = [
    "caffecontroll",
    "detection",
    "engines",
    "faces",
    "intel",
    "jolibrain",
    "leftovers",
    "legacy",
    "mobile",
    "motion",
    "mycaffe",
    "nvidia",
    "segmentation",
    "synopsys",
    "synopsys_layers",
    "yolo",
]
