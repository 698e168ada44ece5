"""Tables of plain text."""

from __future__ import annotations

from ir.text_table import text_table


def test_names_begin_and_numbers_end_below_each_other() -> None:
    rows = [["layer", "bytes", "what"], ["a", "7", "x"], ["conv1", "1,200", ""]]
    assert text_table(rows, numbers=[1]) == (
        "layer  bytes  what\n------------------\na          7  x\nconv1  1,200\n"
    )
    assert text_table(rows).splitlines()[2] == "a      7      x"


def test_what_no_terminal_can_show_is_counted_as_it_is_shown() -> None:
    head, line, *others = text_table([["name", "n"], ["\x1b[1m", "1"], ["b", "2"]]).splitlines()
    assert "\x1b" not in "".join(others)
    assert head.index("n", 1) == others[0].index("1", 6) == others[1].index("2")
    assert set(line) == {"-"}


def test_the_line_below_the_head_ends_before_a_long_text() -> None:
    assert text_table([["a"], ["x" * 500]]).splitlines()[1] == "-" * 118
