"""The part of YAML that param_str of Python layers holds."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from frontends.lowering.settings_text import SettingsError, settings_in


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", {}),
        ("'feat_stride': 16", {"feat_stride": 16}),
        ("feat_stride: 16  # pixels\n\n\"scales\": [8, 16.5, -3e1]",
         {"feat_stride": 16, "scales": [8, 16.5, -30.0]}),
        ("'feat_stride': 16 \n'scales': !!python/tuple [4, 8, 16, 32]",
         {"feat_stride": 16, "scales": [4, 8, 16, 32]}),
        ("{'feat_stride': 16, 'deep': {'a': [1, [2]]}, 'b': ()}",
         {"feat_stride": 16, "deep": {"a": [1, [2]]}, "b": []}),
        ("scales:\n  - 8\n  - 16\nflag: True", {"scales": [8, 16], "flag": True}),
        ("{a: yes, b: null, c: some_word, d: 'it''s', e: \"x\\\"y\"}",
         {"a": True, "b": None, "c": "some_word", "d": "it's", "e": 'x"y'}),
        ("path: /a/b:c", {"path": "/a/b:c"}),
    ],
)  # fmt: skip
def test_settings(text: str, expected: dict[str, Any]) -> None:
    assert settings_in(text) == expected


@pytest.mark.parametrize(
    "text",
    ["16", "a", "a:", "{a: 1", "{a 1}", "a: 1 2", "a: ]", "a: [1", "[1]", "a: " + "[" * 99, "'a"],
)
def test_what_is_no_setting(text: str) -> None:
    if text == "a:":
        assert settings_in(text) == {"a": None}
        return
    with pytest.raises(SettingsError):
        settings_in(text)


@settings(max_examples=300)
@given(st.text(alphabet="ab1 .-:,'\"[](){}#!\n\\", max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(SettingsError):
        assert isinstance(settings_in(text), dict)


def test_a_long_text_takes_no_long_time() -> None:
    assert settings_in("a: [" + "1,\n" * 50_000 + "1]")["a"][-1] == 1
