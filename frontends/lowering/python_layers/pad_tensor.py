"""pad.PadTensor: padding as a Python layer (Synopsys' nets of TensorFlow's)."""

from __future__ import annotations

from ir.graph import Value

from ..built_in_python import built_in
from ..context import LayerContext
from ..settings_text import SettingsError, settings_in

_PARAM = "param_str"
_MOST = 1 << 20


@built_in("pad", "PadTensor", 1, 1, "Synopsys")
def lower_pad_tensor(ctx: LayerContext) -> Value:
    """Zeros around images (N, C, H, W): ``pad_t`` rows above, ``pad_b`` below, ``pad_l`` columns on
    the left and ``pad_r`` on the right, where ``pad_mode`` is "constant". It has no gradient.

    synopsys-caffe: python/pad.py.
    """
    x = ctx.x
    ctx.check(
        x.type.rank == 4,
        f"'{ctx.layer.bottom[0]}' has shape {list(x.shape)}; (N, C, H, W) is expected",
        "bottom",
    )
    try:
        given = settings_in(ctx.param.param_str)
    except SettingsError as error:
        raise ctx.error(
            f"param_str cannot be read: {error}",
            _PARAM,
            '{"pad_t": 1, ..., "pad_mode": "constant"}',
        ) from None
    mode = given.get("pad_mode")
    ctx.check(
        mode == "constant",
        f"pad_mode is {mode!r}",
        _PARAM,
        'zeros are put around ("constant"); for others have the module imported (--python-layers)',
    )
    top, bottom, left, right = (_amount(ctx, given, f"pad_{side}") for side in "tblr")
    return ctx.b.pad(x, (0, 0, top, left), (0, 0, bottom, right))


def _amount(ctx: LayerContext, given: dict[str, object], name: str) -> int:
    value = given.get(name)
    ctx.check(name in given, f"param_str has no '{name}'", _PARAM, f"'{name}': NUMBER")
    ctx.check(
        isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MOST,
        f"param_str: '{name}' is {value!r}",
        _PARAM,
        "a whole number of rows or columns, from 0",
    )
    assert isinstance(value, int)
    return value
