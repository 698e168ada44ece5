"""Tables between marks of a page: ``<!-- NAME -->`` begins one, ``<!-- end -->`` ends it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

_MARKED = re.compile(r"<!-- (?P<name>[\w-]+) -->\n.*?<!-- end -->", re.DOTALL)


def written(page: str, tables: Mapping[str, Callable[[], str]]) -> str:
    """The page with each table anew. Raises KeyError for a mark that names none."""

    def table(match: re.Match[str]) -> str:
        name = match["name"]
        return f"<!-- {name} -->\n\n{tables[name]()}\n<!-- end -->"

    return _MARKED.sub(table, page)
