"""scipy's names. What ``scipy.misc`` did with pictures it did with Pillow; so it is here."""

from __future__ import annotations

import functools
import math
from types import ModuleType
from typing import Any

from .registry import Offer

_RESAMPLING = {"nearest": 0, "lanczos": 1, "bilinear": 2, "bicubic": 3, "cubic": 3}


def mend_scipy(module: ModuleType, offer: Offer) -> None:
    """numpy's functions, which scipy had under its own name."""
    import numpy as np

    names = (
        "abs", "all", "allclose", "any", "arange", "arccos", "arcsin", "arctan", "arctan2",
        "argmax", "argmin", "argsort", "around", "array", "asarray", "average", "ceil",
        "concatenate", "cos", "cov", "cross", "cumsum", "diag", "diff", "dot", "e", "exp", "eye",
        "finfo", "float32", "float64", "floor", "histogram", "hstack", "identity", "inf", "int32",
        "int64", "interp", "isnan", "linspace", "log", "log10", "log2", "logspace", "maximum",
        "mean", "median", "meshgrid", "mgrid", "minimum", "mod", "nan", "ndarray", "nonzero",
        "ones", "ones_like", "outer", "pi", "polyfit", "polyval", "prod", "r_", "c_", "random",
        "ravel", "reshape", "round", "sign", "sin", "sinh", "sort", "sqrt", "squeeze", "std",
        "sum", "tan", "tanh", "tile", "trace", "transpose", "uint8", "unique", "var", "vstack",
        "where", "zeros", "zeros_like",
    )  # fmt: skip
    found = {name: getattr(np, name) for name in names if hasattr(np, name)}
    offer.add(module, rand=np.random.rand, randn=np.random.randn, ifft=np.fft.ifft, **found)


# --- scipy.misc -----------------------------------------------------------------------


def mend_misc(module: ModuleType, offer: Offer) -> None:
    offer.add(
        module,
        bytescale=bytescale,
        comb=_special("comb"),
        factorial=_special("factorial"),
        fromimage=fromimage,
        imfilter=imfilter,
        imread=imread,
        imresize=imresize,
        imrotate=imrotate,
        imsave=imsave,
        imshow=imshow,
        logsumexp=_special("logsumexp"),
        toimage=toimage,
        derivative=derivative,
        central_diff_weights=central_diff_weights,
        face=_dataset("face"),
        ascent=_dataset("ascent"),
        lena=_lena,
    )


def _special(name: str) -> Any:
    def call(*args: Any, **kwargs: Any) -> Any:
        import scipy.special

        return getattr(scipy.special, name)(*args, **kwargs)

    call.__name__ = name
    return call


def _dataset(name: str) -> Any:
    def call(*args: Any, **kwargs: Any) -> Any:
        import scipy.datasets

        return getattr(scipy.datasets, name)(*args, **kwargs)

    call.__name__ = name
    return call


def _lena() -> Any:
    """A gray picture of 512 x 512; scipy's own is gone."""
    return _dataset("ascent")()


def bytescale(data: Any, cmin: Any = None, cmax: Any = None, high: Any = 255, low: Any = 0) -> Any:
    """Values from ``cmin`` to ``cmax`` (the least and the greatest) on ``low`` to ``high``."""
    import numpy as np

    data = np.asarray(data)
    if data.dtype == np.uint8:
        return data
    least = data.min() if cmin is None else cmin
    span = (data.max() if cmax is None else cmax) - least
    if span < 0:
        raise ValueError("`cmax` should be larger than `cmin`.")
    scaled = (data * 1.0 - least) * ((high - low) / float(span or 1)) + low
    return (scaled.clip(low, high) + 0.5).astype(np.uint8)


def toimage(
    arr: Any,
    high: Any = 255,
    low: Any = 0,
    cmin: Any = None,
    cmax: Any = None,
    pal: Any = None,
    mode: Any = None,
    channel_axis: Any = None,
) -> Any:
    """A picture of Pillow's, of rows and columns and perhaps 3 or 4 channels, scaled to bytes."""
    import numpy as np
    from PIL import Image

    data = np.asarray(arr)
    if np.iscomplexobj(data):
        raise ValueError("Cannot convert a complex-valued array.")
    if data.ndim == 2:
        if mode == "F":
            return Image.fromarray(data.astype(np.float32))
        if mode == "I":
            return Image.fromarray(data.astype(np.int32))
        made = Image.fromarray(bytescale(data, cmin, cmax, high, low))
        if mode == "P" or pal is not None:
            made = made.convert("P")
            if pal is not None:
                made.putpalette(np.asarray(pal, np.uint8).tobytes())
            return made
        return made if mode in (None, "L") else made.convert(mode)
    if data.ndim != 3 or not {3, 4} & set(data.shape):
        raise ValueError("'arr' does not have a suitable array shape for any mode.")
    axis = channel_axis
    if axis is None:
        size = 3 if 3 in data.shape else 4
        axis = data.shape.index(size)
    data = np.moveaxis(bytescale(data, cmin, cmax, high, low), axis, -1)
    made = Image.fromarray(np.ascontiguousarray(data))
    return made if mode in (None, made.mode) else made.convert(mode)


def fromimage(im: Any, flatten: Any = False, mode: Any = None) -> Any:
    """The array of a picture; ``flatten``: as gray floats."""
    import numpy as np

    if mode is not None and mode != im.mode:
        im = im.convert(mode)
    elif im.mode == "P":
        im = im.convert("RGBA" if "transparency" in im.info else "RGB")
    if flatten:
        im = im.convert("F")
    elif im.mode == "1":
        im = im.convert("L")
    return np.array(im)


def imread(name: Any, flatten: Any = False, mode: Any = None) -> Any:
    """Rows, columns and channels of a picture file, as bytes."""
    from PIL import Image

    from ..names.files import binary_stream

    with Image.open(binary_stream(name)) as im:
        return fromimage(im, flatten=flatten, mode=mode)


def imsave(name: Any, arr: Any, format: Any = None) -> None:
    """Write an array as a picture, scaled to bytes."""
    from ..names.files import binary_stream

    toimage(arr, channel_axis=2 if getattr(arr, "ndim", 0) == 3 else None).save(
        binary_stream(name), format
    )


def imresize(arr: Any, size: Any, interp: str = "bilinear", mode: Any = None) -> Any:
    """Bytes of another size: per cent, a fraction, or (rows, columns)."""
    import numpy as np

    im = toimage(arr, mode=mode)
    if isinstance(size, int | np.integer):
        size = size / 100.0
    if isinstance(size, float | np.floating):
        new = (int(im.size[0] * size), int(im.size[1] * size))
    else:
        new = (int(size[1]), int(size[0]))
    return fromimage(im.resize(new, resample=_RESAMPLING[interp]))


def imrotate(arr: Any, angle: Any, interp: str = "bilinear") -> Any:
    """Turned counter-clockwise by degrees; the size stays."""
    method = _RESAMPLING[interp]
    return fromimage(toimage(arr).rotate(angle, resample=0 if method == 1 else method))


def imfilter(arr: Any, ftype: str) -> Any:
    """By a filter of Pillow's: blur, contour, detail, edge_enhance, emboss, sharpen, smooth ..."""
    from PIL import ImageFilter

    return fromimage(toimage(arr).filter(getattr(ImageFilter, ftype.upper())))


def imshow(arr: Any) -> None:
    toimage(arr).show()


def derivative(
    func: Any, x0: Any, dx: Any = 1.0, n: Any = 1, args: Any = (), order: Any = 3
) -> Any:
    """The n-th central difference quotient."""
    import numpy as np

    weights = central_diff_weights(order, n)
    half = order >> 1
    values = [w * func(x0 + (k - half) * dx, *args) for k, w in enumerate(weights)]
    return sum(values) / np.prod((dx,) * n, axis=0)


def central_diff_weights(Np: Any, ndiv: Any = 1) -> Any:
    import math

    import numpy as np

    half = Np >> 1
    points = np.arange(-half, half + 1.0)
    return math.factorial(ndiv) * np.linalg.inv(np.vander(points, increasing=True))[ndiv]


# --- other modules --------------------------------------------------------------------


def mend_ndimage(module: ModuleType, offer: Offer) -> None:
    offer.add(module, imread=imread)
    offer.replace(module, "zoom", _zoom)


def _zoom(function: Any) -> Any:
    """Sizes that are half a pixel off were rounded up."""

    def zoom(input: Any, zoom: Any, *args: Any, **words: Any) -> Any:
        import numpy as np

        sizes = np.asarray(input).shape
        factors = [zoom] * len(sizes) if np.ndim(zoom) == 0 else list(zoom)
        wanted = [math.floor(size * by + 0.5) for size, by in zip(sizes, factors, strict=True)]
        factors = [
            by if round(size * by) == want else want / size
            for size, by, want in zip(sizes, factors, wanted, strict=True)
        ]
        return function(input, factors, *args, **words)

    return zoom


def mend_signal(module: ModuleType, offer: Offer) -> None:
    windows: Any = module.windows
    names = (
        "bartlett", "blackman", "blackmanharris", "bohman", "boxcar", "chebwin", "cosine",
        "flattop", "gaussian", "hamming", "hann", "kaiser", "nuttall", "parzen", "triang", "tukey",
    )  # fmt: skip
    offer.add(module, **{name: getattr(windows, name) for name in names})
    offer.add(module, hanning=windows.hann)


def mend_linalg(module: ModuleType, offer: Offer) -> None:
    import numpy as np

    offer.add(module, pinv2=module.pinv, tri=np.tri, tril=np.tril, triu=np.triu, kron=np.kron)


def mend_integrate(module: ModuleType, offer: Offer) -> None:
    offer.add(
        module,
        cumtrapz=module.cumulative_trapezoid,
        simps=module.simpson,
        trapz=module.trapezoid,
    )


def mend_stats(module: ModuleType, offer: Offer) -> None:
    import numpy as np

    def threshold(a: Any, threshmin: Any = None, threshmax: Any = None, newval: Any = 0) -> Any:
        found = np.array(a)
        wrong = np.zeros(found.shape, bool)
        if threshmin is not None:
            wrong |= found < threshmin
        if threshmax is not None:
            wrong |= found > threshmax
        found[wrong] = newval
        return found

    def itemfreq(a: Any) -> Any:
        return np.array(np.unique(a, return_counts=True)).T

    def binom_test(x: Any, n: Any = None, p: Any = 0.5, alternative: Any = "two-sided") -> Any:
        if np.ndim(x):
            x, n = x[0], sum(x)
        return module.binomtest(int(x), int(n), p, alternative).pvalue

    offer.add(
        module,
        binom_test=binom_test,
        chisqprob=lambda value, df: module.chi2.sf(value, df),
        itemfreq=itemfreq,
        nanmean=np.nanmean,
        nanmedian=np.nanmedian,
        nanstd=functools.partial(np.nanstd, ddof=1),
        threshold=threshold,
    )
