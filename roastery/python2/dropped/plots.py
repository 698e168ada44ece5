"""matplotlib's names."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from .registry import Offer

_CMAPS = {"spectral": "nipy_spectral", "Vega10": "tab10", "Vega20": "tab20"}


def mend_matplotlib(module: ModuleType, offer: Offer) -> None:
    """``matplotlib.use("Agg", warn=False)``, and settings that are gone."""

    def change(function: Any) -> Any:
        def use(backend: Any, warn: Any = None, **words: Any) -> Any:
            try:
                return function(backend, **words)
            except (ImportError, ValueError):
                if backend == "Agg":
                    raise
                return function("Agg")  # one that is gone, or has no screen here

        return use

    offer.replace(module, "use", change)


def mend_color_maps(module: ModuleType, offer: Offer) -> None:
    import matplotlib as mpl

    def get_cmap(name: Any = None, lut: Any = None) -> Any:
        if name is None:
            name = mpl.rcParams["image.cmap"]
        if not isinstance(name, str):
            return name
        found = mpl.colormaps[_CMAPS.get(name, name)]
        return found if lut is None else found.resampled(lut)

    offer.add(module, get_cmap=get_cmap)
    maps = module._colormaps  # matplotlib itself is not complete yet
    offer.add(module, **{old: maps[new] for old, new in _CMAPS.items()})


def mend_pyplot(module: ModuleType, offer: Offer) -> None:
    offer.add(
        module,
        hold=lambda on=None: None,
        ishold=lambda: True,
        spectral=lambda: module.set_cmap("nipy_spectral"),
    )
    _figures(module, offer)


def _figures(module: Any, offer: Offer) -> None:
    from matplotlib.backend_bases import FigureCanvasBase
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    offer.add(FigureCanvasBase, set_window_title=lambda self, title: None)
    offer.add(FigureCanvasAgg, tostring_rgb=_rgb)


def _rgb(canvas: Any) -> bytes:
    """The bytes of a drawn figure, without its transparency."""
    import numpy

    return numpy.asarray(canvas.buffer_rgba())[..., :3].tobytes()


def mend_axes(module: ModuleType, offer: Offer) -> None:
    kind: Any = module.Axes

    def set_axis_bgcolor(self: Any, color: Any) -> None:
        self.set_facecolor(color)

    offer.add(
        kind,
        hold=lambda self, on=None: None,
        ishold=lambda self: True,
        set_axis_bgcolor=set_axis_bgcolor,
        get_axis_bgcolor=lambda self: self.get_facecolor(),
        set_color_cycle=lambda self, colors: self.set_prop_cycle(color=colors),
    )

    def change(function: Any) -> Any:
        def hist(self: Any, *args: Any, **words: Any) -> Any:
            if "normed" in words:
                words.setdefault("density", words.pop("normed"))
            return function(self, *args, **words)

        return hist

    offer.replace(kind, "hist", change)


def mend_mlab(module: ModuleType, offer: Offer) -> None:
    import numpy as np

    def normpdf(x: Any, mu: Any, sigma: Any) -> Any:
        z = (np.asarray(x) - mu) / sigma
        return np.exp(-0.5 * z * z) / (np.sqrt(2 * np.pi) * sigma)

    def frange(first: Any, last: Any = None, step: Any = None, **words: Any) -> Any:
        if last is None:
            first, last = 0.0, first
        step = 1.0 if step is None else step
        count = round((last - first) / step) + int(words.get("closed", 1) != 0)
        return first + np.arange(count) * step

    offer.add(
        module,
        normpdf=normpdf,
        find=lambda condition: np.nonzero(np.ravel(condition))[0],
        frange=frange,
        entropy=lambda y, bins: (
            -sum(p * np.log2(p) for p in np.histogram(y, bins)[0] / len(y) if p)
        ),
        movavg=lambda x, n: np.convolve(x, np.ones(n) / n, "valid"),
    )
