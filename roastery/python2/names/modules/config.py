"""``ConfigParser``."""

from __future__ import annotations

import configparser
from typing import Any


class _Old:
    """Python 2's manners: a section twice is one, and files are given open."""

    def __init__(self, *args: Any, **words: Any) -> None:
        words.setdefault("strict", False)
        words.setdefault("inline_comment_prefixes", (";",))
        super().__init__(*args, **words)

    def readfp(self, file: Any, filename: Any = None) -> None:
        self.read_file(map(str, file), filename)  # type: ignore[attr-defined]

    def set(self, section: Any, option: Any, value: Any = None) -> None:
        text = value if value is None else str(value)
        super().set(section, option, text)  # type: ignore[misc]

    def get(self, section: Any, option: Any, raw: Any = False, vars: Any = None, **w: Any) -> Any:
        return super().get(section, option, raw=bool(raw), vars=vars, **w)  # type: ignore[misc]


def config_parser() -> dict[str, Any]:
    class RawConfigParser(_Old, configparser.RawConfigParser):  # type: ignore[misc]
        pass

    class ConfigParser(_Old, configparser.ConfigParser):  # type: ignore[misc]
        pass

    names = {name: getattr(configparser, name) for name in configparser.__all__}
    return names | {
        "ConfigParser": ConfigParser,
        "RawConfigParser": RawConfigParser,
        "SafeConfigParser": ConfigParser,
    }
