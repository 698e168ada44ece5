"""Which libraries are mended, when they are imported or at once, and how that is undone."""

from __future__ import annotations

import contextlib
import importlib
import sys
from collections.abc import Callable, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_loader
from types import ModuleType
from typing import Any

#: A module, and what in this folder adds names to it.
_MENDED = {
    "PIL.Image": "pillow:mend_image",
    "PIL.ImageDraw": "pillow:mend_image_draw",
    "PIL.ImageFont": "pillow:mend_image_font",
    "caffe": "pycaffe:mend_caffe",
    "cv2": "opencv:mend_cv2",
    "h5py": "others:mend_h5py",
    "matplotlib": "plots:mend_matplotlib",
    "matplotlib.axes": "plots:mend_axes",
    "matplotlib.cm": "plots:mend_color_maps",
    "matplotlib.mlab": "plots:mend_mlab",
    "matplotlib.pyplot": "plots:mend_pyplot",
    "networkx": "others:mend_networkx",
    "numpy": "arrays:mend_numpy",
    "pandas": "tables:mend_pandas",
    "scipy": "science:mend_scipy",
    "scipy.integrate": "science:mend_integrate",
    "scipy.linalg": "science:mend_linalg",
    "scipy.misc": "science:mend_misc",
    "scipy.ndimage": "science:mend_ndimage",
    "scipy.signal": "science:mend_signal",
    "scipy.stats": "science:mend_stats",
    "skimage.color": "pictures:mend_color",
    "skimage.draw": "pictures:mend_outlines",
    "skimage.feature": "pictures:mend_feature",
    "skimage.filters": "pictures:mend_filters",
    "skimage.io": "pictures:mend_io",
    "skimage.measure": "pictures:mend_measure",
    "skimage.morphology": "pictures:mend_morphology",
    "skimage.restoration": "pictures:mend_restoration",
    "skimage.segmentation": "pictures:mend_segmentation",
    "skimage.transform": "pictures:mend_transform",
    "skimage.util": "pictures:mend_util",
    "sklearn.linear_model": "learning:mend_linear_model",
    "yaml": "others:mend_yaml",
}

#: Modules that are gone: the one that stands in for it, or what in this folder makes it.
_GONE = {
    "cv2.cv": "opencv:mend_cv",
    "email.MIMEBase": "email.mime.base",
    "email.MIMEImage": "email.mime.image",
    "email.MIMEMultipart": "email.mime.multipart",
    "email.MIMEText": "email.mime.text",
    "email.Utils": "email.utils",
    "scipy.misc": "science:mend_misc",
    "skimage.filter": "skimage.filters",
    "sklearn.cross_validation": "learning:mend_cross_validation",
    "sklearn.externals": "learning:mend_externals",
    "sklearn.externals.joblib": "joblib",
    "sklearn.grid_search": "learning:mend_grid_search",
    "xml.etree.cElementTree": "xml.etree.ElementTree",
}


class Offer:
    """Sets names of objects, and puts back what was there."""

    def __init__(self) -> None:
        self._undo: list[tuple[Any, str, bool, Any]] = []
        self._afterwards: list[Callable[[], object]] = []

    def afterwards(self, call: Callable[[], object]) -> None:
        """What else is to be put back."""
        self._afterwards.append(call)

    def add(self, owner: Any, **names: Any) -> None:
        """Those that are missing."""
        for name, value in names.items():
            if name not in vars(owner):
                self._set(owner, name, value)

    def replace(self, owner: Any, name: str, change: Callable[[Any], Any]) -> None:
        """What ``change`` makes of the one that is there; nothing where there is none."""
        present = getattr(owner, name, None)
        if present is not None:
            self._set(owner, name, change(present))

    def _set(self, owner: Any, name: str, value: Any) -> None:
        had = name in vars(owner)
        try:
            before = vars(owner).get(name)
            setattr(owner, name, value)
        except (AttributeError, TypeError):
            return
        self._undo.append((owner, name, had, before))

    def undo(self) -> None:
        for owner, name, had, before in reversed(self._undo):
            if had:
                setattr(owner, name, before)
            elif name in vars(owner):
                delattr(owner, name)
        self._undo.clear()
        for call in self._afterwards:
            call()
        self._afterwards.clear()


def _mend(name: str, module: ModuleType, offer: Offer) -> None:
    file, function = _MENDED[name].split(":")
    getattr(importlib.import_module(f"{__package__}.{file}"), function)(module, offer)


class _MendingLoader(Loader):
    """Adds to a module as soon as it is there."""

    def __init__(self, inner: Any, name: str, offer: Offer) -> None:
        self._inner, self._name, self._offer = inner, name, offer

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        made = self._inner.create_module(spec)
        return made if made is None or isinstance(made, ModuleType) else None

    def exec_module(self, module: ModuleType) -> None:
        module.__loader__ = self._inner
        if module.__spec__ is not None:
            module.__spec__.loader = self._inner
        self._inner.exec_module(module)
        _mend(self._name, module, self._offer)


class _MakingLoader(Loader):
    """Gives a module in place of one that is gone."""

    def __init__(self, name: str, offer: Offer) -> None:
        self._name, self._offer = name, offer
        self._spec: Any = None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        source = _GONE[self._name]
        if ":" not in source:
            module = importlib.import_module(source)
            self._spec = module.__spec__
            return module
        made = ModuleType(self._name)
        file, function = source.split(":")
        getattr(importlib.import_module(f"{__package__}.{file}"), function)(made, self._offer)
        return made

    def exec_module(self, module: ModuleType) -> None:
        if self._spec is not None:
            module.__spec__ = self._spec


class _Finder(MetaPathFinder):
    def __init__(self, offer: Offer) -> None:
        self._offer = offer
        self._busy: set[str] = set()

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname in self._busy or not (fullname in _MENDED or fullname in _GONE):
            return None
        self._busy.add(fullname)
        try:
            spec = _found(fullname, path, target)
        finally:
            self._busy.discard(fullname)
        if spec is None:
            if fullname not in _GONE:
                return None
            package = fullname == "sklearn.externals"
            made = spec_from_loader(
                fullname, _MakingLoader(fullname, self._offer), is_package=package
            )
            return made
        if fullname in _MENDED and spec.loader is not None:
            spec.loader = _MendingLoader(spec.loader, fullname, self._offer)
        return spec


def _found(name: str, path: Any, target: Any) -> ModuleSpec | None:
    for finder in sys.meta_path:
        if isinstance(finder, _Finder) or not hasattr(finder, "find_spec"):
            continue
        spec = finder.find_spec(name, path, target)
        if spec is not None:
            return spec
    return None


def offer_dropped() -> contextlib.ExitStack:
    """From now on; what is returned is closed to end it."""
    offer = Offer()
    finder = _Finder(offer)
    stack = contextlib.ExitStack()
    before = set(sys.modules)
    stack.callback(_forget, before)
    stack.callback(offer.undo)
    stack.callback(sys.meta_path.remove, finder)
    for name in _MENDED:
        module = sys.modules.get(name)
        if module is not None:
            _mend(name, module, offer)
    sys.meta_path.insert(0, finder)
    return stack


def _forget(before: set[str]) -> None:
    """Modules that are gone are gone again."""
    for name in _GONE:
        if name not in before:
            sys.modules.pop(name, None)
