"""Published nets at work: from pictures to what is told of them."""

from __future__ import annotations

from .digits import Digits
from .likeness import Likeness
from .mtcnn import Mtcnn
from .task import Task
from .ultraface import UltraFace
from .wechat import WeChat

TASKS: tuple[Task, ...] = (
    Digits(),
    UltraFace("UltraFace slim-320", "slim-320"),
    UltraFace("UltraFace RFB-320", "rfb-320"),
    Mtcnn(),
    Likeness(),
    WeChat(),
)
