"""What is counted of nets: against sums by hand, and against published figures."""

from __future__ import annotations

import pytest

from benchmarks.zoo.vgg16 import vgg16
from roastery.counting import LayerCount, NetCount, count_net
from tests.support.lowering import lowered
from tests.support.sample_nets import conv, deconv, dense, inputs, layer, lenet, pool, relu


def counted(text: str, phase: str = "TEST") -> NetCount:
    return count_net(lowered(text, phase))


def fields(text: str) -> dict[str, str]:
    """Receptive fields by the name of the layer."""
    return {each.name: str(each.field or "") for each in counted(text).layers}


def by_name(text: str) -> dict[str, LayerCount]:
    return {each.name: each for each in counted(text).layers}


def test_split_layers_of_a_file_are_layers() -> None:
    text = inputs(data=(1, 3, 8, 8)) + layer("s", "Split", "data", top="a b")
    text += conv("c", "a", 4, 3) + conv("d", "a", 4, 3) + layer("e", "Eltwise", "c d")
    found = by_name(text)
    assert list(found) == ["in_data", "s", "c", "d", "e"]
    assert found["s"].top_names == ("a", "b") and found["s"].nbytes == 0
    assert found["c"].bottom_names == found["d"].bottom_names == ("a",)


def test_lenet() -> None:
    found = by_name(lenet(batch=2))
    first = found["conv1"]
    assert first.bottoms == ((2, 1, 28, 28),) and first.tops == ((2, 20, 24, 24),)
    assert first.parameters == 20 * 25 + 20
    assert first.multiply_adds == 2 * 20 * 24 * 24 * 25
    assert first.nbytes == 4 * 2 * 20 * 24 * 24
    assert found["ip1"].parameters == 500 * 800 + 500
    assert found["ip1"].multiply_adds == 2 * 500 * 800
    assert found["relu_ip1"].nbytes == 0, "in place"
    assert counted(lenet()).parameters == 431_080


def test_vgg16_as_published() -> None:
    net = counted(vgg16(1, True))
    assert net.parameters == 138_357_544
    assert net.multiply_adds == 15_470_264_320
    found = {each.name: str(each.field) for each in net.layers}
    assert found["conv5_3"] == "196x196" and found["pool5"] == "212x212"
    assert found["fc6"] == "whole"


def test_groups_and_transposed_convolutions() -> None:
    text = inputs(data=(1, 8, 10, 10)) + conv("a", "data", 8, 3, "group: 4")
    text += deconv("b", "a", 6, 4, "stride: 2 pad: 1")
    found = by_name(text)
    assert found["a"].multiply_adds == 8 * 8 * 8 * (2 * 9)
    assert found["b"].multiply_adds == 8 * 8 * 8 * 6 * 16
    assert str(found["b"].field) == "4x4"  # two windows of 3, one beside the other


def test_shared_parameters_count_once() -> None:
    body = 'param { name: "w" } param { name: "b" }'
    text = inputs(data=(1, 4, 1, 1)) + dense("a", "data", 4, body) + dense("c", "a", 4, body)
    found = by_name(text)
    assert (found["a"].parameters, found["a"].shared) == (20, 0)
    assert (found["c"].parameters, found["c"].shared) == (0, 20)
    assert counted(text).parameters == 20
    assert "20 shared" in str(counted(text))


def test_views_and_splits_take_no_memory() -> None:
    text = inputs(data=(1, 4, 2, 2)) + layer("flat", "Flatten", "data")
    text += dense("a", "flat", 2) + dense("c", "flat", 2)
    found = by_name(text)
    assert found["flat"].nbytes == 0
    assert list(found) == ["in_data", "flat", "a", "c"], "no Split is shown"
    assert found["a"].bottom_names == found["c"].bottom_names == ("flat",)


def test_windows_strides_and_dilation() -> None:
    text = inputs(data=(1, 3, 65, 65)) + conv("a", "data", 4, 3, "stride: 2")
    text += conv("b", "a", 4, 3, "dilation: 2") + pool("p", "b", "kernel_size: 2 stride: 2")
    text += conv("c", "p", 4, 3)
    found = fields(text)
    assert found["in_data"] == "1x1"
    assert [found[name] for name in "abpc"] == ["3x3", "11x11", "13x13", "21x21"]


def test_sides_may_differ() -> None:
    body = "num_output: 2 kernel_h: 1 kernel_w: 7"
    text = inputs(data=(1, 3, 20, 20))
    text += layer("a", "Convolution", "data", f"convolution_param {{ {body} }}")
    assert fields(text)["a"] == "1x7"


def test_branches_meet_in_the_largest() -> None:
    text = (
        inputs(data=(1, 3, 20, 20))
        + conv("one", "data", 2, 1)
        + conv("three", "data", 2, 3, "pad: 1")
    )
    text += conv("five", "data", 2, 5, "pad: 2") + layer("join", "Concat", "one three five")
    text += conv("after", "join", 2, 3) + layer("sum", "Eltwise", "one three")
    found = fields(text)
    assert found["join"] == "5x5" and found["after"] == "7x7" and found["sum"] == "3x3"


@pytest.mark.parametrize(
    "last",
    [
        dense("last", "a", 2),
        pool("last", "a", "pool: AVE global_pooling: true"),
        pool("last", "a", "pool: MAX global_pooling: true"),
        layer("last", "Reduction", "a", "reduction_param { axis: 1 }"),
    ],
)
def test_what_looks_at_all_sees_the_whole(last: str) -> None:
    text = inputs(data=(1, 3, 9, 9)) + conv("a", "data", 2, 3) + last
    assert fields(text)["last"] == "whole"


def test_scales_from_global_pooling_see_the_whole() -> None:
    text = inputs(data=(1, 3, 9, 9)) + conv("a", "data", 2, 3)
    text += pool("g", "a", "pool: AVE global_pooling: true") + layer("flat", "Flatten", "g")
    text += layer("scaled", "Scale", "a flat", "scale_param { axis: 0 }")
    assert fields(text)["scaled"] == "whole"


def test_channels_are_no_pixels() -> None:
    text = inputs(data=(1, 8, 9, 9)) + conv("a", "data", 8, 3)
    text += layer("norm", "LRN", "a") + layer("soft", "Softmax", "norm") + relu("soft")
    assert set(fields(text).values()) == {"1x1", "3x3"}


def test_positions_survive_other_shapes() -> None:
    """As in detection nets: permuted, flattened, put behind each other, softmax over classes."""
    text = inputs(data=(1, 3, 12, 12)) + conv("a", "data", 6, 3) + conv("c", "a", 12, 5)
    for name in "ac":
        text += layer(
            f"{name}p", "Permute", name, "permute_param { order: 0 order: 2 order: 3 order: 1 }"
        )
        text += layer(f"{name}f", "Flatten", f"{name}p")
    text += layer("all", "Concat", "af cf")
    text += layer("rows", "Reshape", "all", "reshape_param { shape { dim: 0 dim: -1 dim: 3 } }")
    text += layer("soft", "Softmax", "rows", "softmax_param { axis: 2 }")
    found = fields(text)
    assert found["af"] == "3x3" and found["cf"] == "7x7"
    assert found["all"] == found["rows"] == found["soft"] == "7x7"


def test_interpolation_sees_two_neighbours() -> None:
    text = inputs(data=(1, 3, 9, 9)) + pool("p", "data", "pool: AVE kernel_size: 3 stride: 3")
    text += layer("up", "Interp", "p", "interp_param { height: 9 width: 9 }")
    assert fields(text)["up"] == "6x6"


def test_windows_taken_apart() -> None:
    text = inputs(data=(1, 3, 9, 9))
    text += layer("cols", "Im2col", "data", "convolution_param { kernel_size: 3 stride: 2 }")
    text += pool("some", "data", "pool: STOCHASTIC kernel_size: 4 stride: 2")
    assert fields(text) == {"in_data": "1x1", "cols": "3x3", "some": "4x4"}


def test_no_image_no_field() -> None:
    text = inputs(data=(4, 3)) + dense("a", "data", 2)
    assert set(fields(text).values()) == {""}


def test_json_has_everything() -> None:
    found = counted(lenet(batch=1)).told()
    assert found["totals"]["parameters"] == 431_080
    one = found["layers"][2]
    assert one["name"] == "conv1" and one["receptive_field"] == [5, 5]
    assert one["tops"] == [{"name": "conv1", "shape": [1, 20, 24, 24]}]
    assert found["layers"][-1]["receptive_field"] == "whole"


def test_repeated_elements_are_one() -> None:
    """Behind an image that is enlarged by repeating a window of 3 sees 2 of its elements."""
    text = inputs(data=(1, 3, 8, 8)) + pool("p", "data", "pool: AVE kernel_size: 2 stride: 2")
    text += layer("up", "Upsample", "p", "upsample_param { scale: 2 }")
    text += conv("a", "up", 4, 3, "pad: 1") + conv("b", "a", 4, 3, "pad: 1")
    found = fields(text)
    assert found["up"] == "2x2" and found["a"] == "4x4" and found["b"] == "6x6"
    text += layer("both", "Concat", "up data") + conv("d", "both", 4, 3, "pad: 1")
    found = fields(text)
    assert found["both"] == "2x2" and found["d"] == "4x4"


def test_unpooling_by_places_stays_near() -> None:
    text = inputs(data=(1, 3, 8, 8)) + conv("c", "data", 4, 3, "pad: 1")
    text += layer("p", "Pooling", "c", "pooling_param { kernel_size: 2 stride: 2 }", top="p mask")
    text += layer("up", "Upsample", "p mask", "upsample_param { scale: 2 }")
    text += conv("a", "up", 4, 3, "pad: 1")
    found = fields(text)
    assert found["p"] == "4x4" and found["up"] == "4x4" and found["a"] == "6x6"


def test_space_to_depth_and_back() -> None:
    text = inputs(data=(1, 4, 8, 8)) + layer(
        "d", "SpaceToDepth", "data", 'space_to_depth_param { block_size: 2 data_format: "NCHW" }'
    )
    text += conv("a", "d", 16, 1) + conv("b", "a", 16, 3, "pad: 1")
    found = fields(text)
    assert found["a"] == "2x2" and found["b"] == "6x6"
