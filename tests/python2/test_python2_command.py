"""``roastery python --py2`` as it is typed; and what is said without the flag."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest


def roastery(
    folder: Path, *words: str, text: str | None = None, **environment: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "roastery", "python", *words],
        input=text, cwd=folder, capture_output=True, text=True,
        env={**os.environ, **environment},
    )  # fmt: skip


def test_a_script_with_a_module_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text(
        "import sys, helper\nimport caffe\nprint sys.argv[1:], helper.half(7), __name__,\n"
        "print caffe.__version__\nhelper.half('x')\n"
    )
    (tmp_path / "helper.py").write_text("def half(x):\n    # a comment\n    return x / 2\n")
    done = roastery(tmp_path, "--py2", "--py2_report=diff.txt", "main.py", "a", "-b")
    assert done.stdout == "['a', '-b'] 3 __main__ 1.0.0\n"
    assert done.returncode == 1
    assert 'helper.py", line 3, in half' in done.stderr and "return x / 2" in done.stderr
    assert done.stderr.splitlines()[-1].startswith("TypeError: unsupported operand")
    assert 'main.py", line 5' in done.stderr and "hint" not in done.stderr
    diff = (tmp_path / "diff.txt").read_text()
    assert "-    return x / 2\n+    return py2_div(x, 2)\n" in diff
    assert "+print(sys.argv[1:], helper.half(7), __name__, end=' ')\n" in diff
    assert not list(tmp_path.glob("**/*.pyc")), "files stay as they are"


def test_caffe_is_roastery_beside_a_checkout_of_caffe(tmp_path: Path) -> None:
    (tmp_path / "caffe").mkdir()
    (tmp_path / "caffe" / "__init__.py").write_text("from ._caffe import Net\n")
    (tmp_path / "caffe" / "model_libs.py").write_text("import caffe\nprint 7 / 2\nx = caffe.Net\n")
    (tmp_path / "main.py").write_text(
        "import caffe\nprint caffe.Net.__module__\n"
        "from caffe.model_libs import x\nprint x is caffe.Net\n"
    )
    done = roastery(tmp_path, "--py2", "main.py", PYTHONPATH=str(tmp_path))
    assert done.stdout == "roastery.caffe.net\n3\nTrue\n", done.stderr


def test_a_line_a_module_and_a_console(tmp_path: Path) -> None:
    assert roastery(tmp_path, "--py2", "-c", "print 7 / 2").stdout == "3\n"
    (tmp_path / "tool.py").write_text("import sys\nprint 7 / 2, sys.argv[1:], __name__\n")
    assert roastery(tmp_path, "--py2", "-m", "tool", "x").stdout == "3 ['x'] __main__\n"


def test_code_from_standard_input(tmp_path: Path) -> None:
    (tmp_path / "near.py").write_text("x = 9 / 2\n")
    text = (
        "import sys, near, subprocess\nprint sys.argv, near.x, __name__\n"
        "child = subprocess.Popen(['python', '-', 'c'], stdin=subprocess.PIPE)\n"
        "child.communicate('import sys\\nprint sys.argv, 7 / 2\\n')\n1 / 0\n"
    )
    done = roastery(tmp_path, "--py2", "-", "a", text=text)
    assert done.stdout == "['-', 'a'] 4 __main__\n['-', 'c'] 3\n"
    assert 'File "<stdin>", line 5' in done.stderr
    assert roastery(tmp_path, "--py2", text="print 7 / 2\n").stdout == "3\n"
    done = roastery(tmp_path, "-", "a", text="import sys, caffe\nprint(sys.argv, f'{7 / 2}')\n")
    assert done.stdout == "['-', 'a'] 3.5\n", done.stderr
    assert "hint" in roastery(tmp_path, "-", text="print 7\n").stderr


def test_a_console_takes_blocks_of_lines(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from roastery.python2.console import interact
    from roastery.python2.running import names_of_main

    monkeypatch.setattr(
        sys, "stdin", io.StringIO("print 7 / 2\nfor i in xrange(2):\n  print i,\n\n")
    )
    interact("", names_of_main())
    printed = capsys.readouterr().out
    assert "3\n" in printed and "0 1" in printed


def test_the_report_on_standard_error(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text("import cPickle\nfor i in xrange(1): print i\n")
    done = roastery(tmp_path, "--py2_report=-", "main.py")
    assert done.stdout == "0\n"
    assert "# offered: xrange (line 2)\n" in done.stderr
    assert "# imported under a name that is gone: cPickle (line 1)\n" in done.stderr
    done = roastery(tmp_path, "--py2_report=none/x", "main.py")
    assert done.returncode == 1 and "error: cannot write none/x" in done.stderr


def test_nets_of_2014(tmp_path: Path) -> None:
    text = (
        "import caffe\ncaffe.set_phase_test()\nnet = caffe.Net('n.prototxt', caffe.TEST)\n"
        "net.set_phase_test()\nnet.set_mode_cpu()\nprint net.inputs,\n"
        "import numpy\nprint caffe.io.resize(numpy.ones((4, 4, 3)), (2, 2, 3)).shape\n"
    )
    (tmp_path / "n.prototxt").write_text(
        'input: "x" input_dim: 1 input_dim: 1 input_dim: 2 input_dim: 2\n'
    )
    (tmp_path / "other.py").write_text(text)
    (tmp_path / "main.py").write_text(f"{text}import os\nos.system('python other.py')\n")
    done = roastery(tmp_path, "--py2", "main.py")
    assert done.stdout == "['x'] (2, 2, 3)\n" * 2, done.stderr
    done = roastery(tmp_path, "-c", "import caffe; caffe.set_phase_test()")
    assert "has no attribute 'set_phase_test'" in done.stderr


def test_a_traceback_has_the_scripts_own_frames(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text("import one\n")
    (tmp_path / "one.py").write_text(
        "x = max([2, 'a'])\ntry: x / 2\nexcept TypeError: open('none')\n"
    )
    done = roastery(tmp_path, "--py2", "main.py")
    lines = [line for line in done.stderr.splitlines() if line.startswith("  File")]
    assert [line.rpartition("/")[2] for line in lines] == [
        'one.py", line 2, in <module>', '  File "main.py", line 1, in <module>',
        'one.py", line 3, in <module>',
    ]  # fmt: skip
    (tmp_path / "one.py").write_text("def f(:\n")
    done = roastery(tmp_path, "--py2", "main.py")
    assert "roastery" not in done.stderr and "importlib" not in done.stderr
    assert 'one.py", line 1\n' in done.stderr


def test_processes_of_multiprocessing(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text(
        "import multiprocessing\ndef half(x): return x / 2\n"
        "if __name__ == '__main__':\n"
        "    pool = multiprocessing.Pool(2)\n    print pool.map(half, [7, 9])\n"
    )
    assert roastery(tmp_path, "--py2", "main.py").stdout == "[3, 4]\n"


def test_children_are_python2_too(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text(
        "import subprocess, sys, multiprocessing\n"
        "def half(x): return x / 2\n"
        "if __name__ == '__main__':\n"
        "    subprocess.call(['python', 'other.py', 'a', '-b'])\n"
        "    subprocess.call([sys.executable, '-u', '-c', 'import caffe; print 7 / 2'])\n"
        "    subprocess.call('python -m other x', shell=True)\n"
        "    subprocess.call(['python', 'new.py'])\n"
        "    subprocess.call(['python', '-m', 'json.tool', 'x.json'])\n"
        "    print multiprocessing.get_context('spawn').Pool(1).map(half, [7])\n"
    )
    (tmp_path / "other.py").write_text(
        "import sys, helper\nprint sys.argv[1:], helper.x, __name__\n"
    )
    (tmp_path / "helper.py").write_text("x = 7 / 2\n")
    (tmp_path / "new.py").write_text("import helper\nprint(f'{1 / 2}', helper.x)\n")
    (tmp_path / "x.json").write_text("[1]")
    done = roastery(tmp_path, "--py2", "--py2_report=diff.txt", "main.py")
    assert done.stderr == ""
    assert done.stdout.split("\n") == [
        "['a', '-b'] 3 __main__", "3", "['x'] 3 __main__", "0.5 3", "[", "    1", "]", "[3]", "",
    ]  # fmt: skip
    diff = (tmp_path / "diff.txt").read_text()
    assert all(f"# {tmp_path / name}\n" in diff for name in ("helper.py",)) and "other.py" in diff


@pytest.mark.parametrize(
    ("line", "kind", "source", "words", "options"),
    [
        ("x.py a", "file", "x.py", ["a"], []),
        ("-u -W ignore x.py -c", "file", "x.py", ["-c"], ["-u", "-W", "ignore"]),
        ("-cprint -m", "code", "print", ["-m"], []),
        ("-X dev -m a.b c", "module", "a.b", ["c"], ["-X", "dev"]),
        ("- a", "", "-", ["a"], []),
        ("-u", "", "", [], ["-u"]),
    ],
)
def test_command_lines_of_children(
    line: str, kind: str, source: str, words: list[str], options: list[str]
) -> None:
    from roastery.python2.children import Started, parse_started

    assert parse_started(line.split()) == Started(options, kind, source, words)


def test_a_syntax_error_is_the_files_own(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text("print 1\nx = = 2\n")
    done = roastery(tmp_path, "--py2", "main.py")
    assert done.returncode == 1
    assert 'main.py", line 2' in done.stderr and "x = = 2" in done.stderr
    assert "SyntaxError: invalid syntax (as Python 2)" in done.stderr


@pytest.mark.parametrize(
    "line",
    [
        "print 'x'", "exec 'x = 1'", "raise ValueError, 'x'", "x = 0777", "x = 1 <> 2", "x = `1`",
        "xrange(3)", "unicode('x')", "raw_input()", "{}.iteritems()", "{}.has_key(1)",
        "import cPickle", "import urllib2", "import ConfigParser", "from itertools import izip",
        "import string; string.letters", "import numpy; numpy.float",
        "from scipy.misc import imresize", "{}.keys()[0]", "[].sort(lambda a, b: 0)",
        "import numpy; numpy.zeros(3 / 1)", "try: pass\nexcept IOError, e: pass",
        "def f((a, b)): pass", "if 1:\n\tx = 1\n        y = 2", "map(str, [1])[0]", "[1][2 / 1]",
        "open('x', 'w').write(b'')", "'x'.decode('utf-8')", "reduce(max, [1])",
        "import PIL.Image; PIL.Image.ANTIALIAS", "import time; time.clock()", "u = 10L",
        "None < 1", "import numpy; numpy.uint8(200) * 299",
    ],
)  # fmt: skip
def test_an_error_of_python2_names_the_flag(
    line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from roastery.python2.hints import python2_reason

    monkeypatch.chdir(tmp_path)

    try:
        exec(compile(line + "\n", "x.py", "exec"), {})
    except Exception as error:
        assert python2_reason(error), repr(error)
    else:
        pytest.fail("it ran")


@pytest.mark.parametrize(
    "line", ["1 / 0", "x = = 1", "import nothing", "undefined", "[][0]", "None.x", "int('x')"]
)
def test_other_errors_do_not(line: str) -> None:
    from roastery.python2.hints import python2_reason

    try:
        exec(compile(line + "\n", "x.py", "exec"), {})
    except Exception as error:
        assert not python2_reason(error)
    else:
        pytest.fail("it ran")


def test_the_hint_is_printed(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text("print 'x'\n")
    done = roastery(tmp_path, "main.py")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        "hint: Python 2 takes this line: if the script is Python 2, run it by "
        "`roastery python --py2`"
    )


def test_without_fissix_it_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "fissix.py").write_text("raise ImportError('not here')\n")
    (tmp_path / "main.py").write_text("print 1\n")
    done = roastery(tmp_path, "--py2", "main.py", PYTHONPATH=str(tmp_path))
    assert done.returncode == 1
    assert "error: rewriting Python 2 needs the package fissix" in done.stderr
    assert "pip install 'roastery[py2]'" in done.stderr
