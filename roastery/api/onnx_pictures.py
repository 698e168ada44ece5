"""What a model says of pictures, as texts: how they become its input, and names of classes."""

from __future__ import annotations

import base64
import json

from runtime.artifact import Pictures
from runtime.artifact.pictures import MEAN, PICTURES, picture_members


def picture_texts(pictures: Pictures) -> dict[str, str]:
    """``preprocessing`` and ``labels`` as JSON, as artifacts have them, and the image of a mean
    (:data:`MEAN`), little-endian float32 numbers in base64. Nothing where nothing is said."""
    members = picture_members(pictures)
    if not members:
        return {}
    texts = {key: json.dumps(value) for key, value in json.loads(members[PICTURES]).items()}
    if MEAN in members:
        texts[MEAN] = base64.b64encode(members[MEAN]).decode()
    return texts
