"""pycaffe: a net's phase and device were set by its methods, and ``caffe.io`` held a function that
it imported."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from .registry import Offer


def mend_caffe(module: ModuleType, offer: Offer) -> None:
    def of_caffe(name: str) -> Any:
        """A method that sets the device for nets made from then on, as caffe's function does."""
        return lambda self, *args: getattr(module, name)(*args)

    names = ("set_device", "set_mode_cpu", "set_mode_gpu")
    methods = {name: of_caffe(name) for name in names}
    offer.add(module.Net, set_phase_test=_nothing, **methods)
    offer.add(module, set_phase_test=_nothing)

    def resize(image: Any, output_shape: Any, *args: Any, **words: Any) -> Any:
        """scikit-image's; without it ours."""
        try:
            from skimage import transform
        except ImportError:
            return module.io.resize_image(image, output_shape[:2])
        return transform.resize(image, output_shape, *args, **words)

    offer.add(module.io, resize=resize)


def _nothing(*args: Any) -> None:
    """A net's phase is given when it is made."""
