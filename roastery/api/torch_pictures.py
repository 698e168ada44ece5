"""What a module for PyTorch says of pictures: how they become its input, and names of classes."""

from __future__ import annotations

from compiler.pytorch.printing.literals import string_literal
from ir.errors import RoasteryError
from runtime.artifact import Pictures
from runtime.pictures import Preprocessing


def picture_definitions(pictures: Pictures, shape: tuple[int, ...]) -> list[str]:
    """Definitions for ``net.py``: ``picture``, which makes an input, and ``classes``.

    Args:
        shape: of the input that pictures become.

    Raises RoasteryError for a mean picture, which a module does not hold.
    """
    made = []
    if pictures.preprocessing is not None:
        made.append(_function(pictures.preprocessing, shape))
    if pictures.labels:
        names = "".join(f"    {string_literal(label)},\n" for label in pictures.labels)
        made.append(f"classes = (\n{names})")
    return made


def _function(rules: Preprocessing, shape: tuple[int, ...]) -> str:
    if rules.mean_image is not None:
        raise RoasteryError(
            "a module for PyTorch holds no mean picture",
            hint="subtract the mean of each channel: --mean-value",
        )
    _, channels, height, width = shape
    tall, wide = rules.image_size or (height, width)
    top, left = int(tall / 2.0 - height / 2.0), int(wide / 2.0 - width / 2.0)
    given = "(height, width, 3): red, green, blue" if channels == 3 else "(height, width): gray"
    turned = ".permute(2, 0, 1)[None]" if channels == 3 else "[None, None]"
    steps = [
        f"x = torch.as_tensor(pixels){turned}.float() / 255",
        f'x = F.interpolate(x, ({tall}, {wide}), mode="bilinear", align_corners=False)',
    ]
    if (tall, wide) != (height, width):
        steps.append(f"x = x[:, :, {top}:{top + height}, {left}:{left + width}]")
    if rules.channel_swap not in ((), tuple(range(channels))):
        steps.append(f"x = x[:, {list(rules.channel_swap)}]")
    if rules.raw_scale != 1:
        steps.append(f"x = x * {rules.raw_scale!r}")
    if rules.mean:
        steps.append(f"x = x - torch.tensor({list(rules.mean)}).reshape(1, {channels}, 1, 1)")
    if rules.input_scale != 1:
        steps.append(f"x = x * {rules.input_scale!r}")
    body = "\n".join(f"    {step}" for step in steps)
    return f'''\
def picture(pixels):
    """A picture as the net takes it: 1 x {channels} x {height} x {width}.

    Its pixels are {given}, from 0 to 255.
    """
{body}
    return x'''
