"""The text format: every spelling protobuf accepts, and what it means."""

from __future__ import annotations

import math
import time

import pytest

from frontends.prototxt import parse_file, parse_text, to_text
from ir.errors import RoasteryError


def net(text):
    return parse_text(text, "NetParameter")


def layer(text):
    return parse_text(text, "LayerParameter")


def test_fields_blocks_and_comments():
    message = net("""
        # a comment
        name: "n"  # behind a field
        layer { name: 'one' type: "ReLU" bottom: "a" top: "b" }
        layer: < name: "two" >
        layer <name: "three">;
        layer { name: "four" },
        force_backward: true
    """)
    assert message.name == "n"
    assert [each.name for each in message.layer] == ["one", "two", "three", "four"]
    assert message.layer[0].bottom == ["a"]
    assert message.force_backward is True


@pytest.mark.parametrize(
    "text",
    [
        "dim: 1 dim: 2 dim: 3",
        "dim: [1, 2, 3]",
        "dim: [1,2] dim: 3",
        "dim: 1, dim: 2; dim: 3;",
        "dim: [] dim: [1, 2, 3]",
        "dim: 0x1 dim: 02 dim: 3",
    ],
)
def test_repeated_numbers(text):
    assert parse_text(text, "BlobShape").dim == [1, 2, 3]


def test_lists_of_blocks():
    message = layer("param: [{ lr_mult: 1 }, < lr_mult: 2 >] param [{ lr_mult: 3 }]")
    assert [spec.lr_mult for spec in message.param] == [1, 2, 3]


def test_adjacent_strings_are_one():
    assert net('name: "a" \'b\'\n  "c"').name == "abc"


@pytest.mark.parametrize(
    ("literal", "value"),
    [
        (r'"tab\t\"q\" \'\\ \a\b\f\v\r\n\?"', 'tab\t"q" \'\\ \a\b\f\v\r\n?'),
        (r'"\101\x41\u0041\U00000041"', "AAAA"),
        (r'"\303\251"', "é"),
        ('"é 中文"', "é 中文"),
        ('""', ""),
    ],
)
def test_string_escapes(literal, value):
    assert net(f"name: {literal}").name == value


def test_bytes_hold_any_byte():
    datum = parse_text(r'data: "\000\377a"', "Datum")
    assert datum.data == b"\0\xffa"
    assert parse_text(to_text(datum), "Datum") == datum


@pytest.mark.parametrize(
    ("literal", "value"),
    [
        ("1", 1.0),
        ("-2.5", -2.5),
        ("- 2.5", -2.5),
        (".5", 0.5),
        ("5.", 5.0),
        ("1e-3", 1e-3),
        ("1E+2", 100.0),
        ("2f", 2.0),
        ("2.5F", 2.5),
        ("0x10", 16.0),
        ("inf", math.inf),
        ("-Infinity", -math.inf),
        ("1e39", math.inf),
        ("99999999999999999999", 1e20),
    ],
)
def test_floats(literal, value):
    filler = parse_text(f"value: {literal}", "FillerParameter")
    assert filler.value == pytest.approx(value, rel=1e-7)


def test_nan():
    assert math.isnan(parse_text("value: nan", "FillerParameter").value)


def test_floats_are_float32():
    assert parse_text("value: 0.1", "FillerParameter").value == 0.10000000149011612


@pytest.mark.parametrize(
    ("literal", "value"),
    [
        *((word, True) for word in ("true", "True", "t", "1")),
        *((word, False) for word in ("false", "False", "f", "0")),
    ],
)
def test_booleans(literal, value):
    assert net(f"force_backward: {literal}").force_backward is value


def test_enums_by_name_and_number():
    assert layer("pooling_param { pool: AVE }").pooling_param.pool == "AVE"
    assert layer("pooling_param { pool: 2 }").pooling_param.pool == "STOCHASTIC"
    assert layer("phase: TEST").phase == "TEST"


def test_limits_of_integers():
    shape = parse_text("dim: -9223372036854775808 dim: 0x7fffffffffffffff", "BlobShape")
    assert shape.dim == [-(2**63), 2**63 - 1]
    assert layer("convolution_param { num_output: 4294967295 }").convolution_param.num_output == (
        2**32 - 1
    )


def test_byte_order_mark_crlf_and_other_encodings(tmp_path):
    file = tmp_path / "net.prototxt"
    file.write_bytes(b'\xef\xbb\xbf# \xd6\xd0\xce\xc4\r\nname: "n"\r\n')
    assert parse_file(file, "NetParameter").name == "n"


def test_paths_that_are_not_utf8_survive(tmp_path):
    file = tmp_path / "net.prototxt"
    file.write_bytes(b'layer { data_param { source: "\xd6\xd0" } }')
    source = parse_file(file, "NetParameter").layer[0].data_param.source
    assert source.encode("utf-8", "surrogateescape") == b"\xd6\xd0"
    message = parse_file(file, "NetParameter")
    assert parse_text(to_text(message), "NetParameter") == message


def test_free_blocks_take_anything():
    block = layer(
        "user_param { n: 3 x: 2.5 s: 'text' on: true word: SUM list: [1] again: 1 again: 2 "
        "inner { deep: -inf } }"
    ).user_param
    assert (block.n, block.x, block.s, block.on, block.word) == (3, 2.5, "text", True, "SUM")
    assert (block.list, block.again, block.inner.deep) == ([1], [1, 2], -math.inf)
    assert block.get("absent", 7) == 7
    assert not block.has("absent")
    text = to_text(block)
    assert parse_text(text, "FreeBlock") == block


def test_execution_only_fields_are_noted_once():
    message = net(
        "default_forward_type: FLOAT16\nlayer { convolution_param { engine: MKL2017 } }\n"
        "layer { convolution_param { engine: MKL2017 } quantization_param { bw_params: 8 } }"
    )
    texts = [note.text for note in message.notes]
    assert len(texts) == 3
    assert "`default_forward_type`" in texts[0]
    assert "`engine: MKL2017` (2 times)" in texts[1]
    assert message.notes[1].location.line == 2
    assert message.layer[0].convolution_param.engine == "MKL2017"


def test_fork_layers_parse_typed():
    message = layer("""
        name: "p" type: "PriorBox"
        prior_box_param { min_size: 30 aspect_ratio: 2 flip: true variance: [0.1, 0.2] }
        pooling_param { ceil_mode: false }
        detection_output_param { code_type: CENTER_SIZE nms_param { nms_threshold: 0.45 } }
    """)
    assert message.prior_box_param.min_size == [30]
    assert message.prior_box_param.offset == 0.5
    assert message.pooling_param.ceil_mode is False
    assert message.detection_output_param.code_type == "CENTER_SIZE"
    assert message.detection_output_param.nms_param.eta == 1


def test_nesting_up_to_the_limit():
    deep = "user_param {" + "a {" * 98 + "}" * 98 + "}"
    layer(deep)
    with pytest.raises(RoasteryError, match="nest deeper than 100"):
        layer("user_param {" + "a {" * 100 + "}" * 100 + "}")


def test_blocks_up_to_the_limit(monkeypatch):
    monkeypatch.setattr("frontends.prototxt.syntax.MAX_BLOCKS", 10)
    parse_text("layer {}" * 10, "NetParameter")
    with pytest.raises(RoasteryError, match="more than 10 blocks") as caught:
        parse_text("layer {}" * 10 + "\nlayer {}", "NetParameter")
    assert (caught.value.location.line, caught.value.location.column) == (2, 7)


def test_a_large_net_parses_fast():
    block = """layer {
      name: "conv" type: "Convolution" bottom: "a" top: "b"
      convolution_param { num_output: 64 kernel_size: 3 pad: 1 stride: 1 bias_term: false }
    }
    """
    net(block)  # the grammar is compiled once
    start = time.process_time()
    assert len(net(block * 515).layer) == 515
    assert time.process_time() - start < 1.5
