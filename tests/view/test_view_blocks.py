"""Which layers of a net a page draws as one box."""

from __future__ import annotations

from roastery.view.blocks import Block, find_blocks


def chain(count: int) -> list[tuple[int, int]]:
    return [(i, i + 1) for i in range(count - 1)]


def shown(blocks: list[Block]) -> list[tuple[str, list[int], int]]:
    return [(block.name, block.nodes, block.times) for block in blocks]


def test_names_with_a_slash() -> None:
    names = ["data", "a/1x1", "a/3x3", "a/join", "b/1x1", "b/3x3", "prob"]
    found = find_blocks(names, names, chain(7))
    assert shown(found) == [("a", [1, 2, 3], 1), ("b", [4, 5], 1)]


def test_repeats_of_named_blocks() -> None:
    names = ["data", *(f"res{i}_{part}" for i in range(4) for part in "ab"), "prob"]
    kinds = ["in", *["conv", "sum"] * 4, "out"]
    found = find_blocks(names, kinds, chain(10))
    assert shown(found)[-1] == ("res0 … res3", list(range(1, 9)), 4)
    assert found[-1].blocks == [0, 1, 2, 3]


def test_repeats_without_names() -> None:
    names = [f"{chr(97 + i)}" for i in range(11)]
    kinds = ["in", *["conv", "norm", "act"] * 3, "out"]
    found = find_blocks(names, kinds, chain(11))
    assert shown(found)[-1] == ("b … h", list(range(1, 10)), 3)
    assert [found[i].nodes for i in found[-1].blocks] == [[1, 2, 3], [4, 5, 6], [7, 8, 9]]


def test_what_others_lie_between_is_no_block() -> None:
    """a_2 reads what b makes of a_1: with both in one box there would be a circle."""
    names = ["a_1", "b", "a_2", "c"]
    assert find_blocks(names, names, [(0, 1), (1, 2), (2, 3)]) == []


def test_a_net_of_one_name_is_no_block() -> None:
    names = ["a/1", "a/2", "a/3"]
    assert find_blocks(names, names, chain(3)) == []


def test_names_of_all_kinds() -> None:
    names = ["", "/", "//", "_", "a/", "/a", "__proto__", "\n"]
    find_blocks(names, names, chain(8))
