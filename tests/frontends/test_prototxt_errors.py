"""Mistakes in prototxt: place, text and hint of each."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from frontends.prototxt import parse_file, parse_text
from ir.errors import ErrorGroup, RoasteryError

INPUT = 'layer { name: "in0" type: "Input" top: "x" input_param { shape { dim: 2 dim: 3 } } }\n'


def errors_of(text, type_name="NetParameter"):
    with pytest.raises(RoasteryError) as caught:
        parse_text(text, type_name, file="net.prototxt")
    error = caught.value
    return list(error.errors) if isinstance(error, ErrorGroup) else [error]


# text after a first line, line:column, part of the message, part of the hint
CASES = {
    "unknown_field": (
        'layer { name: "r" type: "ReLU"\n  colour: 3 }',
        (3, 3), "LayerParameter has no field `colour`", None,
    ),
    "misspelt_field": (
        'layer { convolution_param { kernal_size: 3 } }',
        (2, 29), "no field `kernal_size`", "did you mean `kernel_size`?",
    ),
    "field_of_a_sub_message": (
        "layer { negative_slope: 0.1 }",
        (2, 9), "no field `negative_slope`", "inside relu_param",
    ),
    "own_layer": ("layer { my_param { a: 3 } }", (2, 9), "no field `my_param`", "user_param"),
    "unknown_enum_value": (
        "layer { pooling_param { pool: MEDIAN } }",
        (2, 31), "`pool` has no value MEDIAN", "one of MAX, AVE, STOCHASTIC",
    ),
    "misspelt_enum_value": (
        "layer { pooling_param { pool: STOCASTIC } }",
        (2, 31), "no value STOCASTIC", "did you mean STOCHASTIC?",
    ),
    "enum_number": ("layer { pooling_param { pool: 9 } }", (2, 31), "no value 9", "one of"),
    "enum_in_quotes": (
        'layer { pooling_param { pool: "AVE" } }', (2, 31), "takes a bare name", "pool: AVE",
    ),
    "unbalanced_brace": (
        'layer { name: "r"\n', (2, 7), "`{` is never closed", "missing `}`",
    ),
    "brace_too_many": ('layer { name: "r" } }', (2, 21), "`}` closes nothing", "is a `{` missing"),
    "wrong_brace": ("layer { param < lr_mult: 1 } }", (2, 28), "`}` where `>` should close", None),
    "missing_colon": (
        'layer { name "r" }', (2, 14), 'missing `:` between `name` and "r"', 'name: "r"',
    ),
    "equals_sign": ('layer { name = "r" }', (2, 14), "expected `:` after `name`", "`name:`"),
    "curly_quotes": ("layer { name: “r” }", (2, 15), "curly quotes around 'r'", '"r"'),
    "unterminated_string": (
        'layer { name: "r type: ReLU }', (2, 15), 'no closing "', "end on the line",
    ),
    "unknown_escape": (r'layer { name: "a\q" }', (2, 15), r"unknown escape `\q`", "backslash"),
    "wrong_value_type": (
        'layer { convolution_param { num_output: "four" } }',
        (2, 41), '`num_output` takes an integer, not the string "four"', None,
    ),
    "number_in_quotes": (
        'layer { convolution_param { num_output: "4" } }', (2, 41), "an integer", "num_output: 4",
    ),
    "real_for_integer": (
        "layer { convolution_param { num_output: 4.0 } }", (2, 41), "takes an integer", "write 4",
    ),
    "negative_unsigned": (
        "layer { convolution_param { num_output: -4 } }", (2, 41), "no negative numbers", None,
    ),
    "too_large": (
        "layer { input_param { shape { dim: 99999999999999999999 } } }",
        (2, 36), "out of range for `dim` (int64)", None,
    ),
    "too_large_for_32_bits": (
        "layer { convolution_param { num_output: 4294967296 } }", (2, 41), "out of range", None,
    ),
    "no_number": ("layer { relu_param { negative_slope: 1x2 } }", (2, 38), "takes a number", None),
    "bool_as_word": (
        "layer { scale_param { bias_term: yes } }",
        (2, 34), "takes true or false, not yes", "did you mean true?",
    ),
    "bool_as_number": ("layer { scale_param { bias_term: 2 } }", (2, 34), "true or false", None),
    "bare_string": ("layer { name: conv1 }", (2, 15), "takes a string", '"conv1"'),
    "bare_path": (
        "layer { data_param { source: data/train\n } }", (2, 34), "unexpected `/`", "quotes",
    ),
    "old_type_in_a_new_layer": (
        "layer { type: INNER_PRODUCT }", (2, 15), "takes a string", 'type: "InnerProduct"',
    ),
    "repeated_single_field": (
        'layer { name: "r" name: "s" }', (2, 19), "`name` stands twice", "line 2",
    ),
    "list_for_single_field": ('layer { name: ["a"] }', (2, 9), "one value, not a list", None),
    "block_for_value": ("layer { name { } }", (2, 9), "takes a value, not a block", None),
    "value_for_block": ("layer { pooling_param: 3 }", (2, 9), "takes a block", "pooling_param {"),
    "required_field": (
        "layer { clip_param { min: 0 } }", (2, 9), "ClipParameter needs a field `max`", "max",
    ),
    "no_value": ("layer { name: }", (2, 15), "value is missing before `}`", None),
    "no_value_at_all": ("layer { name\n top: 'x' }", (2, 9), "`name` has no value", None),
    "extension": ("[a.b/c]: 3", (2, 1), "extensions such as [a.b/c]", None),
    "quoted_name": ('layer { "name": "x" }', (2, 9), "a field name is expected", "no quotes"),
    "two_values": ("layer { loss_weight: 1 2 }", (2, 24), "unexpected `2`", None),
    "stray_character": ("layer { name: @x }", (2, 15), "expected a value, found `@`", None),
    "control_character": ("name: \x01", (2, 7), "control character 0x01", None),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_every_mistake_names_its_place(name):
    text, place, message, hint = CASES[name]
    (error,) = errors_of(INPUT + text)
    assert (error.location.line, error.location.column) == place
    assert message in error.message
    assert error.location.text == (INPUT + text).split("\n")[place[0] - 1].replace("\x01", "\ufffd")
    if hint is None:
        assert error.location.file == "net.prototxt"
    else:
        assert hint in error.hint


def test_the_error_names_the_layer():
    (error,) = errors_of('layer { pooling_param { pool: MAXX } type: "Pooling" name: "pool5" }')
    assert error.location.layer == "pool5"
    assert "net.prototxt:1:31 (layer 'pool5'): `pool` has no value MAXX" in str(error)
    assert str(error).endswith("hint: did you mean MAX?")


def test_all_errors_of_a_file_in_order():
    errors = errors_of("""name: "n"
layer { name "a" }
layer { name: “b” kernel: 3 }
layer { convolution_param { num_output: x pad: -1 } }
layer { type: "ReLU" tpye: "ReLU" }
""")
    places = [(error.location.line, error.location.column) for error in errors]
    assert places == [(2, 14), (3, 15), (3, 19), (4, 41), (4, 48), (5, 22)]


def test_a_missing_brace_in_the_middle_is_one_error():
    text = 'layer { name: "a"\n' + 'layer { name: "b" type: "ReLU" }\n' * 3
    (error,) = errors_of(text)
    assert "`{` is never closed" in error.message
    assert error.location.line == 1


def test_a_brace_that_closes_too_early_and_one_too_late():
    text = 'layer { name: "a"\nlayer { name: "b" } }\nlayer { name: "c" }'
    (error,) = errors_of(text)
    assert (error.location.line, error.location.column) == (2, 1)
    assert "NetParameter has: is a `}` missing before this line?" in error.hint


def test_errors_inside_what_a_missing_brace_swallowed_are_found_too():
    errors = errors_of('layer { name: "a"\nlayer { nam: "b" }\n')
    assert [error.location.line for error in errors] == [1, 2]
    assert errors[1].hint == "did you mean `name`?"


def test_solver_fields():
    (error,) = errors_of("base_lr: 0.1\nnesterov: true\n", "SolverParameter")
    assert error.location.line == 2
    assert "SolverParameter has no field `nesterov`" in error.message


def test_many_errors_are_cut_short():
    errors = errors_of("layer { nonsense: 3 }\n" * 500)
    assert len(errors) <= 100


def test_missing_and_large_files(tmp_path):
    with pytest.raises(RoasteryError, match=r"there is no file '.*gone\.prototxt'"):
        parse_file(tmp_path / "gone.prototxt", "NetParameter")
    with pytest.raises(RoasteryError, match="directory"):
        parse_file(tmp_path, "NetParameter")
    large = tmp_path / "large.prototxt"
    with open(large, "wb") as file:
        file.truncate(2**27)
    with pytest.raises(RoasteryError, match="too many"):
        parse_file(large, "NetParameter")


def test_a_binary_file_is_named_as_such(tmp_path):
    file = tmp_path / "net.prototxt"
    file.write_bytes(bytes(range(256)))
    with pytest.raises(RoasteryError, match="is this a binary file") as caught:
        parse_file(file, "NetParameter")
    str(caught.value).encode()  # can be printed everywhere


def test_deep_nesting_is_refused_quickly():
    (error,) = errors_of("layer {" * 500_000)
    assert "nest deeper than 100" in error.message


@given(st.text(alphabet="ab:{}<>[],;\"'-#1.e \n“@\\", max_size=40))
def test_any_text_parses_or_says_why(text):
    try:
        parse_text(text, "NetParameter")
    except RoasteryError as error:
        str(error).encode()


@given(st.data())
def test_damaged_nets_parse_or_say_why(data):
    net = (
        'name: "n"\nlayer { name: "c" type: "Convolution" bottom: "a" top: "b"\n'
        "  convolution_param { num_output: 4 kernel_size: [3, 3] weight_filler < std: 0.1 > } }\n"
    )
    start = data.draw(st.integers(0, len(net)))
    end = data.draw(st.integers(start, min(len(net), start + 6)))
    damaged = net[:start] + data.draw(st.text("{}<>[]:\"'x1- \n", max_size=3)) + net[end:]
    try:
        parse_text(damaged, "NetParameter")
    except RoasteryError as error:
        assert error.location is not None
        assert error.location.line >= 1


def test_a_line_of_nothing_but_mistakes_is_not_mended_for_ever() -> None:
    """Each mend takes a while, and only the first of a line is told."""
    text = "a: 1 } " * 200_000
    with pytest.raises(RoasteryError, match="`}` closes nothing"):
        parse_text(text, "NetParameter")
