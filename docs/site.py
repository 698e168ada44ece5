"""Makes a site of pages that link to the whole repository. MkDocs calls what begins with `on_`.

README.md is the first page. What pages link to outside of docs/ (results of benchmarks, examples,
sources) becomes pages of the site: markdown as it is, other text as a listing, a folder as its
README.md or a list of its files. Links are written anew for where things are in the site.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parents[1]
FIRST = "README.md"

_LINK = re.compile(r"(\]\()([^)\s]+)(\))")
_CODE = re.compile(r"```.*?```|^    .*?$", re.S | re.M)
_PICTURES = (".png", ".jpg", ".svg")
_SHOWN = (
    ".c", ".h", ".ipynb", ".json", ".md", ".prototxt", ".py", ".sh", ".toml", ".txt", ".yaml", ""
)  # fmt: skip
_LANGUAGES = {".py": "python", ".json": "json", ".toml": "toml", ".yaml": "yaml"}

#: By a page's place in the site, which file of the repository it is; listings are none.
_SOURCES: dict[str, str] = {}


def site_place(path: str) -> str:
    """Where a file or folder of the repository is in the site."""
    if path == FIRST:
        return "index.md"
    if (ROOT / path).is_dir():
        inside = f"{path}/{FIRST}"
        return inside if (ROOT / inside).is_file() else f"{path}/index.md"
    if path.startswith("docs/"):
        return path.removeprefix("docs/")
    return path if path.endswith((".md", *_PICTURES)) else f"{path}.md"


def linked(path: str) -> list[str]:
    """The files and folders that a page of the repository links to."""
    text = _CODE.sub("", (ROOT / path).read_text(encoding="utf-8"))
    return [found for _, link, _ in _LINK.findall(text) if (found := _target(path, link))]


def _target(page: str, link: str) -> str:
    """What a link of a page leads to in the repository; "" for other hosts and the page itself."""
    file = link.partition("#")[0]
    if not file or "://" in file or file.startswith("mailto:"):
        return ""
    return posixpath.normpath(posixpath.join(posixpath.dirname(page), file))


def on_config(config: Any) -> Any:
    """Give titles the names that GitHub gives them, which links were written for."""
    config["mdx_configs"].setdefault("toc", {})["slugify"] = _slug
    return config


def _slug(title: str, separator: str) -> str:
    return re.sub(r"[^\w\- ]", "", title).lower().replace(" ", separator)


def on_files(files: Files, config: Any) -> Files:
    """Add README.md and all that pages link to, and what these link to."""
    _SOURCES.clear()
    todo = [FIRST, *(f"docs/{file.src_uri}" for file in files if file.is_documentation_page())]
    seen = set(todo)
    while todo:
        path = todo.pop()
        place = site_place(path)
        if path.endswith(".md"):
            _SOURCES[place] = path
            todo += _new(linked(path), seen)
        if path.startswith("docs/"):
            continue
        if (ROOT / path).is_dir():
            inside = _inside(path)
            todo += _new(inside, seen)
            if place.endswith("/index.md"):
                files.append(File.generated(config, place, content=_folder(path, inside)))
        elif path.endswith((".md", *_PICTURES)):
            files.append(File.generated(config, place, abs_src_path=str(ROOT / path)))
        else:
            files.append(File.generated(config, place, content=_listing(path)))
    return files


def _new(paths: list[str], seen: set[str]) -> list[str]:
    found = [p for p in dict.fromkeys(paths) if p not in seen and (ROOT / p).exists()]
    seen.update(found)
    return found


def _inside(folder: str) -> list[str]:
    """Files below a folder that can be shown; what examples make there is not shown."""
    found = []
    for path in sorted((ROOT / folder).rglob("*")):
        parts = path.relative_to(ROOT).parts
        hidden = any(part.startswith((".", "__")) for part in parts)
        if path.is_file() and path.suffix in (*_SHOWN, *_PICTURES) and not hidden:
            found.append("/".join(parts))
    return found


def _folder(path: str, inside: list[str]) -> str:
    base = site_place(path)
    lines = [f"* [{p.removeprefix(f'{path}/')}]({_relative(base, site_place(p))})" for p in inside]
    return f"# {path}\n\n" + "\n".join(lines) + "\n"


def _listing(path: str) -> str:
    source = ROOT / path
    text = source.read_text(encoding="utf-8").rstrip("\n")
    fence = "~" * 9
    return f"# {path}\n\n{fence}{_LANGUAGES.get(source.suffix, '')}\n{text}\n{fence}\n"


def _relative(page: str, target: str) -> str:
    return posixpath.relpath(target, posixpath.dirname(page) or ".")


def on_page_markdown(markdown: str, page: Any, config: Any, files: Files) -> str:
    """Write the links of a page anew."""
    source = _SOURCES.get(page.file.src_uri)
    if source is None:
        return markdown

    def renewed(match: re.Match[str]) -> str:
        target = _target(source, match[2])
        if not target or not (ROOT / target).exists():
            return match[0]  # of which MkDocs says that it leads nowhere
        place = match[2].partition("#")[2]
        link = _relative(page.file.src_uri, site_place(target))
        return f"{match[1]}{link}{'#' * bool(place)}{place}{match[3]}"

    parts, at = [], 0
    for code in _CODE.finditer(markdown):
        parts += [_LINK.sub(renewed, markdown[at : code.start()]), code[0]]
        at = code.end()
    return "".join([*parts, _LINK.sub(renewed, markdown[at:])])
