"""Text that MyCaffe reads and Caffe does not."""

from __future__ import annotations

import pytest

from frontends.prototxt import parse_text, to_text
from frontends.upgrade import net_needs_upgrade, upgrade_net
from ir.errors import RoasteryError
from roastery.reading.nets import net_from_text

MIXED = """name: "n"
layer { name: "x" type: "Input" top: "x" input_param { shape { dim: 2 dim: 3 } } }
layers { name: "ip" type: INNER_PRODUCT bottom: "x" top: "y" blobs_lr: 1 blobs_lr: 2
  inner_product_param { num_output: 4 } }
layer { name: "relu" type: "ReLU" bottom: "y" top: "y" }
layers { name: "loss" type: SOFTMAX bottom: "y" top: "p" }
"""


def test_old_and_new_layers_in_the_order_of_the_file():
    net = net_from_text(MIXED, "net.prototxt")
    assert [layer.name for layer in net.layer] == ["x", "ip", "relu", "loss"]
    assert [layer.type for layer in net.layer] == ["Input", "InnerProduct", "ReLU", "Softmax"]
    assert [spec.lr_mult for spec in net.layer[1].param] == [1, 2]
    note, _ = net.notes
    assert "2 `layers` (old) and 2 `layer` (current) blocks" in note.text
    assert note.location.line == 2
    assert not net_needs_upgrade(net)


def test_their_order_on_one_line():
    net = net_from_text(
        'layer { name: "a" type: "Input" top: "a" } '
        'layers { name: "b" type: RELU bottom: "a" top: "b" } '
        'layer { name: "c" type: "ReLU" bottom: "b" top: "c" }'
    )
    assert [layer.name for layer in net.layer] == ["a", "b", "c"]


def test_oldest_layers_among_new_ones_are_refused():
    with pytest.raises(RoasteryError, match="has both `layers`"):
        net_from_text(
            'layers { layer { name: "b" type: "relu" } bottom: "a" top: "b" } '
            'layer { name: "c" type: "ReLU" bottom: "b" top: "c" }'
        )


def test_no_order_is_known_without_a_file():
    parsed = parse_text(MIXED, "NetParameter")
    made = parse_text("", "NetParameter")
    for field in ("layer", "layers"):
        for layer in parsed[field]:
            copied = made.add(field)
            for name in layer.fields_set():
                copied.copy_field(layer, name)
    for layer in (*made.layer, *made.layers):
        layer.location = type(layer.location)()
    with pytest.raises(RoasteryError, match="has both `layers`"):
        upgrade_net(made, mixed=True)


DATA = 'layer { name: "d" type: "Data" data_param { source: %s\n} }'


@pytest.mark.parametrize(
    ("written", "path"),
    [
        (r"C:\ProgramData\MyCaffe\test_data\train", r"C:\ProgramData\MyCaffe\test_data\train"),
        (r"$ProgramData$\MyCaffe\train # here", r"$ProgramData$\MyCaffe\train"),
        (r'"$ProgramData$\MyCaffe\test_data\new"', r"$ProgramData$\MyCaffe\test_data\new"),
        (r'"d:\MyCaffe\train"', r"d:\MyCaffe\train"),
        (r"'d:\MyCaffe\train'", r"d:\MyCaffe\train"),
        ("$Default$", "$Default$"),
        (r"C:\a}", "C:\\a"),
    ],
)
def test_paths_of_windows(written, path):
    text = DATA % written if "}" not in written else DATA.replace("\n} }", " }") % written
    net = parse_text(text, "NetParameter", file="net.prototxt")
    assert net.layer[0].data_param.source == path
    (note,) = net.notes
    assert "1 string(s) are taken as they stand" in note.text
    assert (note.location.line, note.location.column) == (1, 53)
    again = parse_text(to_text(net), "NetParameter")
    assert again == net
    assert not again.notes


def test_escapes_that_caffe_reads_stay_escapes():
    net = parse_text(DATA % r'"C:\temp\new\\x"', "NetParameter")
    assert net.layer[0].data_param.source == "C:\temp\new\\x"
    assert not net.notes


def test_in_blocks_that_take_everything():
    text = 'layer { scalar_param { file: C:\\a\\M other: "$X$\\q" word: b } }'
    net = parse_text(text, "NetParameter")
    block = net.layer[0].scalar_param
    assert (block.file, block.other, block.word) == ("C:\\a\\M", "$X$\\q", "b")
    assert "2 string(s)" in net.notes[0].text


def test_words_without_quotes_where_a_path_has_none():
    text = (
        r"layer { name: conv top: [a, b] data_param { source: C:\x batch_size: 4 backend: LMDB } }"
    )
    net = parse_text(text, "NetParameter")
    (layer,) = net.layer
    assert (layer.name, layer.top, layer.data_param.source) == ("conv", ["a", "b"], r"C:\x")
    assert layer.data_param.backend == "LMDB"
    assert "4 string(s)" in net.notes[0].text


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        (r'layer { name: "a\q" }', (1, 15), r"unknown escape `\q`"),
        (r'layer { name: "C:\q" "b" }', (1, 15), r"unknown escape `\q`"),
        (r'layer { name: "x C:\q" }', (1, 15), r"unknown escape `\q`"),
        (r"layer { data_param { batch_size: C:\x } }", (1, 34), r"takes an integer, not C:\x"),
        (r"layer { data_param { backend: C:\x } }", (1, 31), r"`backend` has no value C:\x"),
        (r"layer { data_param { source C:\x } }", (1, 29), r"missing `:` between `source` and C:"),
        (r"layer { C:\x }", (1, 9), r"unexpected `C:\x`"),
        (r"layer { data_param: C:\x }", (1, 9), r"`data_param` takes a block"),
        ("layer { name: $x }", (1, 15), "expected a value, found `$`"),
        ("layer { name: C:/x }", (1, 16), "unexpected `:` after `C`"),
    ],
)
def test_other_mistakes_are_told_as_before(text, place, message):
    with pytest.raises(RoasteryError) as caught:
        parse_text(text, "NetParameter")
    assert message in caught.value.message
    assert (caught.value.location.line, caught.value.location.column) == place


@pytest.mark.parametrize("written", ["-1", "NONE"])
def test_no_type_of_annotation(written):
    text = f"""layer {{ name: "d" type: "AnnotatedData"
      annotated_data_param {{ anno_type: {written} label_map_file: "m" }} }}"""
    net = parse_text(text, "NetParameter")
    assert net.layer[0].annotated_data_param.anno_type == "NONE"
    new, (note,) = upgrade_net(net)
    assert not new.layer[0].annotated_data_param.has("anno_type")
    assert new.layer[0].annotated_data_param.label_map_file == "m"
    assert "anno_type: NONE sets nothing" in note.text
    assert note.location.line == 2
    assert not net_needs_upgrade(new)


SSD = """layer { name: "d" type: "DetectionOutput"
  detection_output_param { num_classes: 3
    nms_param { option { active: False } nms_threshold: 0.4 }
    save_output_param { option { active: False } output_directory: "out" } } }
layer { name: "l" type: "MultiBoxLoss"
  multiboxloss_param { num_classes: 3 use_gpu: False
    nms_param { option { active: True } eta: 1 } } }
layer { name: "m" type: "MultiBoxLoss"
  multibox_loss_param { num_classes: 3 nms_param { option { } } } }
layer { name: "t" type: "Data" transform_param {
  mask_param { option { active: False } boundary_left: 3 }
  label_mapping { option { active: True } mapping: 4 } } }
"""


def test_blocks_that_are_not_active():
    net = net_from_text(SSD)
    output, given, other, data = net.layer
    nms = output.detection_output_param.nms_param  # it counts in any case
    assert nms.nms_threshold == pytest.approx(0.4)
    assert not nms.has("option")
    assert not output.detection_output_param.has("save_output_param")
    assert given.multibox_loss_param.num_classes == 3
    assert not given.has("multiboxloss_param")
    assert given.multibox_loss_param.nms_param.fields_set() == ["eta"]
    assert not other.multibox_loss_param.has("nms_param")
    assert not data.transform_param.has("mask_param")
    assert data.transform_param.label_mapping.fields_set() == ["mapping"]
    assert [note.text for note in net.notes if "active" in note.text] == [
        "3 block(s) that are not active were left out, as in MyCaffe"
    ]
    assert "multiboxloss_param is read as multibox_loss_param" in [n.text for n in net.notes]
    assert not net_needs_upgrade(net)


def test_blocks_that_are_active_are_not_told_as_left_out():
    active = SSD.replace("active: False", "active: True").replace("option { }", "eta: 1")
    net = net_from_text(active)
    assert net.layer[0].detection_output_param.save_output_param.fields_set() == [
        "output_directory"
    ]
    assert not [note for note in net.notes if "left out" in note.text]
