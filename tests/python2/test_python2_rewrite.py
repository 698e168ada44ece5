"""What Python 2's text becomes, line by line."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from roastery.python2.rewrite.compiled import compile_converted
from roastery.python2.rewrite.converter import convert
from roastery.python2.rewrite.source import even_indents, source_text
from roastery.python2.rewrite.store import converted_source


def rewritten(text: str) -> str:
    found = convert(text + "\n", "x.py", always=True).text
    ast.parse(found)
    return found.removesuffix("\n")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("print 'a', b", "print('a', b)"),
        ("print 'a',", "print('a', end=' ')"),
        ("print >>f, x", "print(x, file=f)"),
        ("print", "print()"),
        ("exec s in d", "exec(s, d)"),
        ("raise E, 'x'", "raise E('x')"),
        ("raise E, 'x', tb", "raise E('x').with_traceback(tb)"),
        ("a <> b", "a != b"),
        ("`a`", "repr(a)"),
        ("x = 0777 + 10L + 0xFFL + 00", "x = 0o777 + 10 + 0xFF + 0"),
        ("[y for y in 1, 2]", "[y for y in (1, 2)]"),
        ("lambda (a, b): a", "lambda a_b: a_b[0]"),
        ("f.func_name", "f.__name__"),
        ("m.im_self", "m.__self__"),
    ],
)
def test_syntax(old: str, new: str) -> None:
    assert rewritten(old) == new


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("a / b", "py2_div(a, b)"),
        ("a / b / c * d % e / f", "py2_div(py2_div(py2_div(a, b), c) * d % e, f)"),
        ("a / 2.0", "a / 2.0"),
        ("float(a) / b", "float(a) / b"),
        ("a // b", "a // b"),
        ("a /= b", "a = py2_idiv(a, b)"),
        ("x.a[i] /= b", "py2_idiv_item(x.a, i, b)"),
        ("x[i / 2, 1:3] /= b", "py2_idiv_item(x, py2_key[py2_div(i, 2), 1:3], b)"),
        ("x[1:-1], x[:len(a)], x[i], x[:]", "x[1:-1], x[:len(a)], x[i], x[:]"),
        ("x[a:b / 2:c]", "x[py2_index(a):py2_index(py2_div(b, 2)):py2_index(c)]"),
        ("x[a:, ::-1]", "x[py2_index(a):, ::-1]"),
        ("x.a /= b", "py2_idiv_attribute(x, 'a', b)"),
        ("x.__a /= b", "x.__a = py2_idiv(x.__a, b)"),
        ("from __future__ import division\na / b", "from __future__ import division\na / b"),
    ],
)
def test_division(old: str, new: str) -> None:
    assert rewritten(old) == new


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("d.keys()[0]", "py2_list(d.keys())[0]"),
        ("d.e[1].iteritems()", "py2_iteritems(d.e[1])"),
        ("d.has_key('x')", "py2_has_key(d, 'x')"),
        ("it.next().a.next()", "py2_next(py2_next(it).a)"),
        ("x.sort()", "x.sort()"),
        ("x.sort(cmp=f, reverse=True)", "py2_sort(x, cmp=f, reverse=True)"),
        ("s.encode('hex')", "py2_encode(s, 'hex')"),
        ("os.path.join(a, b)", "os.path.join(a, b)"),
        ("os.path.join(a)", "os.path.join(a)"),
        ("', '.join(a)", "py2_join(', ', a)"),
        ("d.keys(1)", "d.keys(1)"),
        ("assert len > 0, a", "assert len > 0, a"),
        (
            "lambda x, (y, (z, w)): x",
            "lambda x, y_z_w: (lambda y, z_w: (lambda z, w: x)(*z_w))(*y_z_w)",
        ),
        ("raise E, 'a %s' % b, t", "raise E('a %s' % b).with_traceback(t)"),
        ("raise E, b, None", "raise py2_raised(E, b)"),
        ("[x for x in y]\nx", "[x for py2_x in y if [x := py2_x]]\nx"),
        ("[x for x in y]\nfor x in z: x", "[x for x in y]\nfor x in z: x"),
        ("class A:\n    [x for x in y]\n    x", "class A:\n    [x for x in y]\n    x"),
        ("list([x for x in y] for z in w)\nx", "list([x for x in y] for z in w)\nx"),
        ("if x == []: y != z", "if py2_equal(x, []): y != z"),
        ("-a.next() ** 2", "-py2_next(a) ** 2"),
    ],
)
def test_methods(old: str, new: str) -> None:
    assert rewritten(old) == new


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (r"u'\u1234'", r"'\u1234'"),
        (r"'C:\users\new'", r"'C:\\users\new'"),
        (r"'\\u'", r"'\\u'"),
        (r"'\N'", r"'\\N'"),
        (r"ur'\d\u1234'", r"'\\d\u1234'"),
        (r"r'\u'", r"r'\u'"),
        (r"'\xff\xd8'", r"py2_bytes(b'\xff\xd8')"),
        (r"'\x7f\\xff'", r"'\x7f\\xff'"),
        (r"u'\xff'", r"'\xff'"),
        (r"b'\xff'", r"py2_bytes(b'\xff')"),
        ("b'a' b'b'", "b'a' b'b'"),
        ("from __future__ import unicode_literals\n'\\u1234'",) * 2,
    ],
)
def test_strings(old: str, new: str) -> None:
    assert rewritten(old) == new


def test_exceptions() -> None:
    old = "try:\n    f()\nexcept (A, B), e:\n    print e.message, e[0]\nexcept C, (n, m):\n    pass"
    new = rewritten(old)
    assert "except (A, B) as e:" in new
    assert "print(py2_message(e), e.args[0])" in new
    assert "except C as py2_caught:\n    (n, m) = py2_caught.args\n    pass" in new
    old = "try: a\nexcept E, e: b; c\nexcept F as (x, y): pass\nprint e"
    assert rewritten(old) == (
        "try: a\nexcept E as py2_caught: e = py2_caught; b; c\n"
        "except F as py2_caught: (x, y) = py2_caught.args; pass\nprint(e)"
    )


@pytest.mark.parametrize(
    "text",
    [
        "print(f'{x}')",
        "def f(a: int): pass",
        "print('x', file=f)",
        "def f(*, a): pass",
        "class A(metaclass=B): pass",
        "def f():\n    nonlocal x",
        "raise A from b",
        "a, *b = c",
        "async def f(): pass",
    ],
)
def test_python3_stays(text: str) -> None:
    found = convert(text + "\nx = 1 / 2\n", "x.py")
    assert found.python3 and found.text == text + "\nx = 1 / 2\n"


@pytest.mark.parametrize(
    "text", ["f(*a)", "from __future__ import print_function\nprint('x', file=f)", "x = 1 / 2"]
)
def test_what_both_take_is_python2(text: str) -> None:
    assert not convert(text + "\n", "x.py").python3


def test_lines_stay(tmp_path: Path) -> None:
    """A traceback names the line of the file, also behind lines that were put in between."""
    text = (
        "def f(a, (b, c)):\n    'doc'\n    return a / b\n\n\n"
        "s = '''x\n\ny'''; t = 1\ntry:\n    f(1, (0,\n        2))\n"
        "except (IOError,\n  OSError), (a, b):\n    pass\n"
    )
    converted = convert(text, "x.py")
    names: dict[str, object] = {"py2_div": lambda a, b: a // b}
    with pytest.raises(ZeroDivisionError) as caught:
        exec(compile_converted(converted, text, "x.py"), names)
    lines = [at.lineno + 1 for at in caught.traceback if str(at.path).endswith("x.py")]
    assert lines == [10, 3] or lines == [9, 3]


def test_a_syntax_error_has_the_files_line() -> None:
    with pytest.raises(SyntaxError) as caught:
        converted_source(b"print 1\n\nx = = 2\n", "x.py")
    assert caught.value.lineno == 3 and caught.value.text == "x = = 2"
    with pytest.raises(SyntaxError) as caught:
        converted_source(b"print 1\n\nx = (2\n", "x.py")
    assert caught.value.filename == "x.py"
    text = "def f(a, (b, c)):\n    print a\n    return 1\nreturn 2\n"
    with pytest.raises(SyntaxError) as caught:
        compile_converted(convert(text, "x.py"), text, "x.py")
    assert caught.value.lineno == 4 and caught.value.text == "return 2"


def test_tabs_count_to_eight() -> None:
    text = "if x:\n    if y:\n\ta = '''\n\tkept'''\n        b\n"
    assert even_indents(text) == "if x:\n    if y:\n        a = '''\n\tkept'''\n        b\n"
    assert even_indents("if x:\n\ta\n") == "if x:\n\ta\n"


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"\xef\xbb\xbfx\r\ny", "x\ny\n"),
        ("# -*- coding: gbk -*-\n'中'".encode("gbk"), "# -*- coding: gbk -*-\n'中'\n"),
        ("'é'".encode(), "'é'\n"),
        (b"'\xe9'\r'x'", "'é'\n'x'\n"),
        (b"# vim: fileencoding=nonsense\nx", "# vim: fileencoding=nonsense\nx\n"),
    ],
)
def test_encodings(data: bytes, text: str) -> None:
    assert source_text(data) == text


def test_the_cache_gives_the_same(tmp_path: Path) -> None:
    data = b"import cPickle\nprint xrange(3)\n"
    first, second = converted_source(data, "x.py"), converted_source(data, "y.py")
    assert first[0] == second[0] and first[1].text == second[1].text
    assert list(first[1].lines) == list(second[1].lines)
    assert list(second[1].names) == [("cPickle", 1), ("xrange", 2)]
    (kept,) = (tmp_path / "cache" / "python2").iterdir()
    kept.write_bytes(b"{")
    assert converted_source(data, "x.py")[1].text == first[1].text
