"""Binary nets of forks: composed by their own field numbers, read as what they are."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

from frontends.caffemodel import read_net_and_weights, read_weights
from frontends.dialect import dialect_pb2, dialects, find_dialect, recognised, set_dialect
from frontends.lowering.known_layers import load_layers
from frontends.prototxt import Message, parse_text, to_text
from frontends.prototxt.protobuf import from_protobuf
from ir.errors import RoasteryError
from roastery.cli.main import main
from roastery.reading import nets

load_layers()


def varint(value: int) -> bytes:
    out = b""
    while True:
        value, low = value >> 7, value & 127
        out += bytes([low | (128 if value else 0)])
        if not value:
            return out


def number(field: int, value: int) -> bytes:
    return varint(field << 3) + varint(value)


def real(field: int, value: float) -> bytes:
    return varint(field << 3 | 5) + struct.pack("<f", value)


def block(field: int, *content: bytes | str) -> bytes:
    body = b"".join(c.encode() if isinstance(c, str) else c for c in content)
    return varint(field << 3 | 2) + varint(len(body)) + body


def layer(name: str, kind: str, *fields: bytes) -> bytes:
    """A LayerParameter with one bottom, one top and two weights."""
    blob = block(7, block(5, struct.pack("<2f", 1.5, -2)), block(7, block(1, varint(2))))
    return block(100, block(1, name), block(2, kind), block(3, "x"), block(4, name), blob, *fields)


def v1_layer(name: str, kind: int, *fields: bytes) -> bytes:
    return block(2, block(4, name), number(5, kind), block(2, "x"), block(3, name), *fields)


#: What a fork writes, with its own numbers; and how one of its layers reads.
FILES: dict[str, tuple[bytes, str]] = {
    # weiliu89/caffe: 201 to 206 are its layers'.
    "ssd": (
        layer("n", "Normalize", block(206, number(1, 0), number(3, 0), real(4, 0.5)))
        + layer("p", "Permute", block(202, number(1, 0), number(1, 2), number(1, 3), number(1, 1)))
        + layer("b", "PriorBox", block(203, real(1, 30), number(4, 1), real(6, 0.1), real(13, 0.5)))
        + layer("d", "DetectionOutput", block(204, number(1, 21), block(4, number(2, 400)))),
        "norm_param { across_spatial: false channel_shared: false eps: 0.5 }",
    ),
    # alexgkendall/caffe-segnet: 137 and 138 are Embed and Tile in Caffe.
    "segnet": (
        layer("u", "Upsample", block(137, number(1, 2), number(6, 30), number(7, 40)))
        + layer("d", "DenseImageData", block(138, block(1, "list.txt"), number(2, 4))),
        "upsample_param { scale: 2 upsample_h: 30 upsample_w: 40 }",
    ),
    # hszhao/PSPNet: 143 is input_param in Caffe.
    "pspnet": (
        layer("i", "Interp", block(143, number(1, 60), number(2, 80)))
        + layer("b", "BN", block(152, real(3, 0.5), real(4, 0.25), number(5, 1))),
        "interp_param { height: 60 width: 80 }",
    ),
    # NVIDIA/caffe: 145 to 150, and 11 to 14 of the net.
    "nvcaffe": (
        number(11, 2)
        + number(13, 1)
        + layer("b", "BatchNorm", number(145, 2), number(147, 1), block(139, number(7, 1))),
        "batch_norm_param { scale_bias: true }",
    ),
    # ydwen/caffe-face: 147 is swish_param in Caffe.
    "caffe_face": (
        layer("c", "CenterLoss", block(147, number(1, 10), block(2, block(1, "xavier")))),
        'center_loss_param { num_output: 10 center_filler { type: "xavier" } }',
    ),
    "fast_rcnn": (
        layer("r", "ROIPooling", block(8266711, number(1, 7), number(2, 6), real(3, 0.0625))),
        "roi_pooling_param { pooled_h: 7 pooled_w: 6 spatial_scale: 0.0625 }",
    ),
    "flownet2": (
        layer("c", "Correlation", block(150, number(2, 20), number(3, 1), number(4, 20))),
        "correlation_param { pad: 20 kernel_size: 1 max_displacement: 20 }",
    ),
}


def named(net: Message, text: str) -> bool:
    """Whether the first layer says ``text``."""
    return text in " ".join(to_text(net.layer[0]).split())


@pytest.mark.parametrize("name", FILES)
def test_a_fork_is_recognised_by_its_numbers(name: str, tmp_path: Path) -> None:
    content, text = FILES[name]
    path = tmp_path / "net.caffemodel"
    path.write_bytes(block(1, "net") + content)
    net, weights = read_net_and_weights(path)
    assert net.name == "net"
    assert named(net, text), to_text(net)
    assert find_dialect(name).title in net.notes[0].text
    for read in (weights, read_weights(path)):
        assert [w.type for w in read] == [each.type for each in net.layer]
        for each in read:
            np.testing.assert_array_equal(each.blobs[0], np.array([1.5, -2], np.float32))


@pytest.mark.parametrize("name", FILES)
def test_upgraded_bytes_name_what_caffe_knows(name: str, tmp_path: Path) -> None:
    """The command writes Caffe's numbers; what Caffe lacks has none, and the weights stay."""
    old, new = tmp_path / "old.caffemodel", tmp_path / "new.caffemodel"
    old.write_bytes(FILES[name][0])
    assert main(["upgrade_net_proto_binary", str(old), str(new)]) == 0
    net, weights = read_net_and_weights(new)
    assert not net.notes
    assert [w.name for w in weights] == [w.name for w in read_weights(old)]
    assert not any(each.has("input_param") or each.has("embed_param") for each in net.layer)


def test_caffes_own_files_are_caffes() -> None:
    folder = Path(__file__).parents[1] / "data"
    files = [
        path
        for path in folder.rglob("*.caffemodel")
        if path.stat().st_size < 1 << 20 and not {"errors", "hostile"} & set(path.parts)
    ]
    assert files
    for path in files:
        net, _ = read_net_and_weights(path)
        assert not any("--dialect" in note.text for note in net.notes), path


POOLING = layer("p", "Pooling", block(121, number(1, 1), number(2, 3), number(13, 1)))
DROPOUT = layer("d", "Dropout", block(108, real(1, 0.25), number(2, 0)))
LOSS = layer("l", "SoftmaxWithLoss", block(101, number(3, 1)))
CONVOLUTION = layer("c", "Convolution", block(106, number(1, 8), number(4, 3), number(16, 2)))


@pytest.mark.parametrize(
    ("content", "dialect", "field", "value"),
    [
        (POOLING, "bvlc", "pooling_param.round_mode", "FLOOR"),
        (POOLING, "intel", "pooling_param.avg_include_pad", True),
        (DROPOUT, "fast_rcnn", "dropout_param.scale_train", False),
        (DROPOUT, "nvcaffe", "dropout_param.dropout_ratio", 0.25),
        (DROPOUT, "segnet", "dropout_param.sample_weights_test", False),
        (LOSS, "bvlc", "loss_param.normalization", "VALID"),
        (LOSS, "segnet", "loss_param.weight_by_label_freqs", True),
        (CONVOLUTION, "bvlc", "convolution_param.axis", 2),
        (CONVOLUTION, "yjxiong", "convolution_param.dilation", [2]),
    ],
)
def test_where_forks_differ_the_user_decides(
    content: bytes, dialect: str, field: str, value: object, tmp_path: Path
) -> None:
    path = tmp_path / "net.caffemodel"
    path.write_bytes(content)
    set_dialect(dialect)
    try:
        net, _ = read_net_and_weights(path)
    finally:
        set_dialect(None)
    holder, _, name = field.partition(".")
    assert net.layer[0][holder].has(name)
    assert net.layer[0][holder][name] == value
    assert not net.notes  # nothing was guessed


def test_the_command_and_the_environment_say_which(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = tmp_path / "old.caffemodel", tmp_path / "new.caffemodel"
    old.write_bytes(POOLING)
    command = ["upgrade_net_proto_binary", str(old), str(new)]

    def floors() -> bool:
        return bool(read_net_and_weights(new)[0].layer[0].pooling_param.has("round_mode"))

    assert main(command) == 0
    assert floors()
    assert main([*command, "--dialect=intel"]) == 0
    assert not floors()
    monkeypatch.setenv("ROASTERY_DIALECT", "intel")
    assert main(command) == 0
    assert not floors()
    assert main([*command, "--dialect=bvlc"]) == 0
    monkeypatch.delenv("ROASTERY_DIALECT")
    assert floors()
    monkeypatch.setenv("ROASTERY_DIALECT", "itnel")
    with pytest.raises(RoasteryError, match="ROASTERY_DIALECT: there is no dialect 'itnel'") as no:
        read_net_and_weights(old)
    assert no.value.hint is not None and "did you mean 'intel'?" in no.value.hint


def test_old_layers_have_a_dialect_too() -> None:
    """V1's numbers are forks', too: 137 is BN's in SegNet, and nothing in Caffe."""
    convolution = v1_layer("a", 4, block(10, number(1, 8), number(4, 3)))
    assert recognised([convolution]).name == "bvlc"


@pytest.mark.parametrize("name", dialects())
def test_every_dialect_reads_what_it_writes(name: str) -> None:
    """One message of each kind, with a value in every field that has a number."""
    module = dialect_pb2(find_dialect(name))
    net = module.NetParameter()
    made = net.layer.add(name="l", type="T")
    for field in module.LayerParameter.DESCRIPTOR.fields:
        if field.name.endswith("_param") and not field.is_repeated:
            getattr(made, field.name).SetInParent()
    read = from_protobuf(net)
    assert [f for f in read.layer[0].fields_set() if f.endswith("_param")] == [
        field.name for field, _ in made.ListFields() if field.name.endswith("_param")
    ]
    assert recognised([net.SerializePartialToString()]).of("LayerParameter") is not None


def test_damaged_bytes_are_no_dialect() -> None:
    for piece in (b"", b"\xff", block(100, b"\xff\xff"), block(100, block(100, b"\x08") * 50)):
        assert recognised([piece]).name in dialects()


NV = """name: "n" layer { name: "x" type: "Input" top: "x" input_param { shape: { dim: [2, 3] } } }
layer { name: "b" type: "BatchNorm" bottom: "x" top: "b" batch_norm_param { engine: MKLDNN } }"""


@pytest.mark.parametrize(
    ("dialect", "field"),
    [
        ("nvcaffe", "moving_averages: true"),
        ("intel", "use_weight_bias: true"),
        ("pspnet", "update_global_stats: false"),
        ("deeplab", "update_global_stats: false"),
    ],
)
def test_what_text_means_in_a_fork_is_written_out(dialect: str, field: str) -> None:
    net = nets.read_net(parse_text(NV, "NetParameter"), dialect)
    assert field in to_text(net)
    assert "1 BatchNorm layer(s) are read as" in net.notes[-1].text
    assert field not in to_text(nets.net_from_text(NV))
    assert field not in to_text(nets.read_net(parse_text(NV, "NetParameter"), "bvlc"))


@pytest.mark.parametrize(
    ("dialect", "body", "field"),
    [
        ("segnet", "", "icnet: false"),
        ("pspnet", "", "icnet: true"),
        ("yjxiong", "bn_param { }", "icnet: true"),
        ("happynear", "", "icnet: true"),
        ("segnet", "bn_param { eps: 0.1 }", ""),
        ("deeplab", "", ""),
    ],
)
def test_a_bare_bn_is_that_of_the_dialect(dialect: str, body: str, field: str) -> None:
    text = f'layer {{ name: "b" type: "BN" bottom: "x" top: "b" {body} }}'
    net = nets.read_net(parse_text(text, "NetParameter"), dialect)
    written = to_text(net)
    assert field in written and ("icnet" in written) == bool(field)
    assert [note.text[:20] for note in net.notes] == ["1 BN layer(s) are re"] * bool(field)
