"""scikit-image's names and arguments."""

from __future__ import annotations

import inspect
from types import ModuleType
from typing import Any

from .registry import Offer

#: Arguments that have other names now.
_WORDS = {
    "as_grey": "as_gray",
    "max_iter": "max_num_iter",
    "n_iter": "max_num_iter",
    "n_iter_max": "max_num_iter",
    "normalise": "transform_sqrt",
    "ratio": "compactness",
    "selem": "footprint",
    "visualise": "visualize",
    "in_place": "out",
    "neighbors": "connectivity",
}


def _old_words(function: Any) -> Any:
    """The function with its old arguments, and those of before that it takes no more dropped."""
    known = set(inspect.signature(function).parameters)

    def call(*args: Any, **words: Any) -> Any:
        if "multichannel" in words and "multichannel" not in known:
            many = words.pop("multichannel")
            if "channel_axis" in known:
                words.setdefault("channel_axis", -1 if many else None)
        for old, new in _WORDS.items():
            if old not in words or old in known or new not in known:
                continue
            value = words.pop(old)
            if old == "neighbors":
                value = {4: 1, 8: 2}.get(value, value)
            if old == "in_place":
                value = args[0] if value else None
            words.setdefault(new, value)
        return function(*args, **words)

    call.__name__ = getattr(function, "__name__", "call")
    call.__doc__ = function.__doc__
    return call


def _change(module: ModuleType, offer: Offer, *names: str) -> None:
    for name in names:
        offer.replace(module, name, _old_words)


def _of_many_channels(function: Any) -> Any:
    """Colours are the last axis, as they were unless a script said otherwise."""
    old = _old_words(function)

    def call(image: Any, *args: Any, **words: Any) -> Any:
        colors = getattr(image, "ndim", 0) == 3 and image.shape[-1] in (3, 4)
        if colors and "channel_axis" not in words and "multichannel" not in words:
            words["channel_axis"] = -1
        return old(image, *args, **words)

    call.__name__ = getattr(function, "__name__", "call")
    return call


def mend_transform(module: ModuleType, offer: Offer) -> None:
    """``resize`` and ``rescale``: without smoothing, as before there was any."""

    def change(function: Any) -> Any:
        old = (
            _of_many_channels(function) if function.__name__ == "rescale" else _old_words(function)
        )

        def call(image: Any, size: Any, *args: Any, **words: Any) -> Any:
            words.setdefault("anti_aliasing", False)
            if not args:
                words.setdefault("mode", "constant")
            if isinstance(size, tuple | list):
                size = tuple(int(n) for n in size) if name == "resize" else size
            return old(image, size, *args, **words)

        name = function.__name__
        call.__name__ = name
        return call

    offer.replace(module, "resize", change)
    offer.replace(module, "rescale", change)
    _change(module, offer, "pyramid_gaussian", "pyramid_laplacian", "pyramid_reduce", "rotate")
    _change(module, offer, "pyramid_expand", "warp_coords")
    if hasattr(module, "probabilistic_hough_line"):
        offer.add(module, probabilistic_hough=module.probabilistic_hough_line)


def _with_default(name: str, value: Any) -> Any:
    """A function whose argument of that name had another default."""

    def change(function: Any) -> Any:
        old = _old_words(function)

        def call(*args: Any, **words: Any) -> Any:
            return old(*args, **{name: value, **words})

        call.__name__ = getattr(function, "__name__", "call")
        return call

    return change


def _hog(function: Any) -> Any:
    """Blocks were brought to a sum of one, where nothing else was asked for."""
    old = _old_words(function)

    def hog(
        image: Any,
        orientations: Any = 9,
        pixels_per_cell: Any = (8, 8),
        cells_per_block: Any = (3, 3),
        block_norm: Any = "L1",
        **words: Any,
    ) -> Any:
        return old(image, orientations, pixels_per_cell, cells_per_block, block_norm, **words)

    return hog


def mend_feature(module: ModuleType, offer: Offer) -> None:
    offer.replace(module, "hog", _hog)
    _change(module, offer, "peak_local_max", "canny", "corner_peaks")
    offer.add(module, greycomatrix=module.graycomatrix, greycoprops=module.graycoprops)

    def register_translation(source: Any, target: Any, upsample_factor: Any = 1, **w: Any) -> Any:
        from skimage.registration import phase_cross_correlation

        return phase_cross_correlation(source, target, upsample_factor=upsample_factor)

    offer.add(module, register_translation=register_translation)


def mend_measure(module: ModuleType, offer: Offer) -> None:
    def compare_ssim(one: Any, two: Any, *args: Any, **words: Any) -> Any:
        from skimage import metrics

        if "dynamic_range" in words:
            words["data_range"] = words.pop("dynamic_range")
        for name, value in zip(("win_size", "gradient", "data_range"), args, strict=False):
            words.setdefault(name, value)
        if words.pop("multichannel", False):
            words["channel_axis"] = -1
        _range(one, words)
        return metrics.structural_similarity(one, two, **words)

    def compare_psnr(true: Any, test: Any, data_range: Any = None, **words: Any) -> Any:
        from skimage import metrics

        found = {"data_range": words.get("dynamic_range", data_range)}
        _range(true, found)
        return metrics.peak_signal_noise_ratio(true, test, **found)

    def compare_mse(one: Any, two: Any) -> Any:
        from skimage import metrics

        return metrics.mean_squared_error(one, two)

    def compare_nrmse(true: Any, test: Any, norm_type: str = "Euclidean") -> Any:
        from skimage import metrics

        return metrics.normalized_root_mse(true, test, normalization=norm_type.lower())

    offer.add(
        module,
        compare_ssim=compare_ssim,
        structural_similarity=compare_ssim,
        compare_psnr=compare_psnr,
        compare_mse=compare_mse,
        compare_nrmse=compare_nrmse,
    )
    _change(module, offer, "label", "ransac")


def _range(image: Any, words: dict[str, Any]) -> None:
    """The range of an image's kind, which was meant where none is given."""
    import numpy as np

    if words.get("data_range") is None:
        kind = np.asarray(image).dtype
        whole = kind.kind in "iu"
        words["data_range"] = np.iinfo(kind).max - np.iinfo(kind).min if whole else 2.0


def mend_filters(module: ModuleType, offer: Offer) -> None:
    def canny(*args: Any, **words: Any) -> Any:
        from skimage import feature as features

        return features.canny(*args, **words)

    def denoise(name: str) -> Any:
        def call(*args: Any, **words: Any) -> Any:
            from skimage import restoration as restored

            return getattr(restored, name)(*args, **words)

        return call

    def threshold_adaptive(image: Any, block_size: Any, *args: Any, **words: Any) -> Any:
        return image > module.threshold_local(image, block_size, *args, **words)

    # It took three last channels for colours, unless told otherwise.
    offer.replace(module, "gaussian", _of_many_channels)
    for kind in ("sobel", "prewitt", "scharr", "farid"):
        for name in (kind, f"{kind}_h", f"{kind}_v"):
            offer.replace(module, name, _zero_at_the_edge)
    offer.replace(module, "roberts", _zero_at_the_edge)
    offer.add(
        module,
        canny=canny,
        denoise_tv_chambolle=denoise("denoise_tv_chambolle"),
        denoise_bilateral=denoise("denoise_bilateral"),
        tv_denoise=denoise("denoise_tv_chambolle"),
        gaussian_filter=module.gaussian,
        hsobel=module.sobel_h,
        vsobel=module.sobel_v,
        hprewitt=module.prewitt_h,
        vprewitt=module.prewitt_v,
        hscharr=module.scharr_h,
        vscharr=module.scharr_v,
        threshold_adaptive=threshold_adaptive,
    )
    _change(module, offer, "median", "unsharp_mask")


def _zero_at_the_edge(function: Any) -> Any:
    """An edge filter said nothing where its window leaves the picture."""

    def call(image: Any, *args: Any, **words: Any) -> Any:
        found = function(image, *args, **words)
        if getattr(found, "ndim", 0) == 2:
            found[[0, -1]] = 0
            found[:, [0, -1]] = 0
        return found

    call.__name__ = function.__name__
    return call


def mend_morphology(module: ModuleType, offer: Offer) -> None:
    def watershed(*args: Any, **words: Any) -> Any:
        from skimage import segmentation as segmented

        return segmented.watershed(*args, **words)

    offer.add(module, watershed=watershed, selem=module)
    names = ("binary_closing", "binary_dilation", "binary_erosion", "binary_opening", "closing")
    _change(module, offer, *names, "dilation", "erosion", "opening", "white_tophat", "black_tophat")
    _change(module, offer, "remove_small_objects", "remove_small_holes", "label")


def mend_segmentation(module: ModuleType, offer: Offer) -> None:
    offer.replace(module, "slic", _with_default("start_label", 0))
    names = ("felzenszwalb", "quickshift", "random_walker", "active_contour", "chan_vese")
    _change(module, offer, *names)


def mend_restoration(module: ModuleType, offer: Offer) -> None:
    names = ("denoise_bilateral", "denoise_nl_means", "denoise_tv_chambolle", "denoise_wavelet")
    _change(module, offer, *names, "denoise_tv_bregman")
    offer.add(module, nl_means_denoising=module.denoise_nl_means)


def mend_io(module: ModuleType, offer: Offer) -> None:
    def change(function: Any) -> Any:
        old = _old_words(function)

        def imread(name: Any, as_grey: Any = False, plugin: Any = None, **words: Any) -> Any:
            from ..names.files import binary_stream

            words.pop("flatten", None)
            return old(binary_stream(name), as_gray=bool(words.pop("as_gray", as_grey)), **words)

        return imread

    offer.replace(module, "imread", change)
    offer.add(module, use_plugin=lambda *args, **kwargs: None, Image=_picture)


def _picture(array: Any, **words: Any) -> Any:
    return array


def mend_color(module: ModuleType, offer: Offer) -> None:
    offer.add(module, rgb2grey=module.rgb2gray, grey2rgb=module.gray2rgb)

    def change(function: Any) -> Any:
        def rgb2gray(rgb: Any, *args: Any, **words: Any) -> Any:
            """A gray picture is gray already; of four channels the last is no colour."""
            if getattr(rgb, "ndim", 3) == 2:
                return rgb
            return function(rgb[..., :3], *args, **words)

        return rgb2gray

    offer.replace(module, "rgb2gray", change)
    offer.replace(module, "rgb2grey", lambda _: module.rgb2gray)


def mend_outlines(module: ModuleType, offer: Offer) -> None:
    offer.add(
        module, circle=lambda r, c, radius, shape=None: module.disk((r, c), radius, shape=shape)
    )


def mend_util(module: ModuleType, offer: Offer) -> None:
    import numpy as np

    offer.add(module, pad=np.pad)
    _change(module, offer, "random_noise", "montage")
