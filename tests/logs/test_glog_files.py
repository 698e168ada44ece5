"""The log in files as glog has them: names, links, severities, sizes, what goes where."""

from __future__ import annotations

import dataclasses
import io
import os
import re
from pathlib import Path

import pytest

from runtime.logging import CaffeLog, GlogHandler, LogRecord, Severity
from runtime.logging.glog_files import GlogFiles, close_files, shared_files, tell_fatal
from runtime.logging.glog_settings import GlogSettings, from_environment, script_settings, use_glog
from runtime.logging.records import CaffeLine

HEAD = (
    r"Log file created at: \d{4}/\d\d/\d\d \d\d:\d\d:\d\d\nRunning on machine: \S+\n"
    r"Log line format: \[IWEF\]mmdd hh:mm:ss.uuuuuu threadid file:line\] msg\n"
)
LINE = r"\d{4} \d\d:\d\d:\d\d\.\d{6} +\d+ solver\.cpp:1\] "


def record(severity: Severity, text: str, timestamp: float = 1e9) -> LogRecord:
    return LogRecord(severity, CaffeLine("solver.cpp", 1), text, timestamp=timestamp)


def fill(files: GlogFiles) -> None:
    files.handle(record(Severity.INFO, "a word"))
    files.handle(record(Severity.WARNING, "two"))
    files.handle(record(Severity.ERROR, "three"))
    files.close_all()


def test_each_severity_has_a_file_that_a_link_leads_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("USER", "ann")
    fill(GlogFiles(GlogSettings(log_dir=str(tmp_path / "new" / "logs"))))
    folder = tmp_path / "new" / "logs"
    names = {"INFO": "IWE", "WARNING": "WE", "ERROR": "E"}
    assert len(list(folder.iterdir())) == 6
    for name, letters in names.items():
        link = folder / f"caffe.{name}"
        target = os.readlink(link)
        host = re.escape(os.uname().nodename)
        assert re.fullmatch(
            rf"caffe\.{host}\.ann\.log\.{name}\.2001090\d-\d{{6}}\.{os.getpid()}", target
        )
        text = link.read_text()
        head = re.match(HEAD, text)
        assert head, text
        lines = text[head.end() :].splitlines()
        assert [line[0] for line in lines] == list(letters)
        assert all(re.match("[IWE]" + LINE, line) for line in lines)


def test_a_file_is_made_by_its_first_line(tmp_path: Path) -> None:
    files = GlogFiles(GlogSettings(log_dir=str(tmp_path)))
    assert list(tmp_path.iterdir()) == []
    files.handle(record(Severity.INFO, "a word"))
    assert sorted(p.name.split(".")[-1] for p in tmp_path.iterdir() if p.is_symlink()) == ["INFO"]
    files.close_all()


def test_a_large_file_is_followed_by_another(tmp_path: Path) -> None:
    files = GlogFiles(GlogSettings(log_dir=str(tmp_path), max_log_size=1))
    for second in range(3):
        for _ in range(11):
            files.handle(record(Severity.INFO, "x" * 100_000, 1e9 + second))
    files.close_all()
    found = sorted(p for p in tmp_path.iterdir() if not p.is_symlink())
    assert len(found) == 3 and (tmp_path / "caffe.INFO").resolve() == found[-1]
    assert all(path.stat().st_size < 2.3e6 for path in found)


def test_what_is_no_link_stays(tmp_path: Path) -> None:
    (tmp_path / "caffe.INFO").write_text("mine")
    fill(GlogFiles(GlogSettings(log_dir=str(tmp_path))))
    assert (tmp_path / "caffe.INFO").read_text() == "mine"
    assert (tmp_path / "caffe.WARNING").is_symlink()


def test_other_links_mode_and_year(tmp_path: Path) -> None:
    links = tmp_path / "links"
    links.mkdir()
    old = os.umask(0)
    try:
        fill(
            GlogFiles(
                GlogSettings(
                    program="convert_imageset",
                    log_dir=str(tmp_path),
                    log_link=str(links),
                    logfile_mode=0o600,
                    log_year_in_prefix=True,
                    log_utc_time=True,
                )
            )
        )
    finally:
        os.umask(old)
    text = (links / "convert_imageset.INFO").read_text()
    assert "[IWEF]yyyymmdd" in text and "I20010909 01:46:40.000000" in text
    assert (tmp_path / "convert_imageset.INFO").stat().st_mode & 0o777 == 0o600


def test_without_a_prefix(tmp_path: Path) -> None:
    fill(GlogFiles(GlogSettings(log_dir=str(tmp_path), log_prefix=False)))
    assert (tmp_path / "caffe.ERROR").read_text().splitlines()[3:] == ["three"]


def test_a_folder_that_takes_no_file_does_not_end_the_run(tmp_path: Path) -> None:
    (tmp_path / "logs").write_text("no folder")
    shown = io.StringIO()
    settings = GlogSettings(log_dir=str(tmp_path / "logs"))
    with CaffeLog([GlogHandler(shown, settings), GlogFiles(settings)]) as log:
        log.note("one")
        log.note("two")
    text = shown.getvalue()
    assert "one" in text and "two" in text
    assert text.count(f"the log no longer reaches the files of '{tmp_path}/logs'") == 1


@pytest.mark.parametrize(
    ("changes", "shown"),
    [
        ({}, "IWE"),
        ({"log_dir": "x"}, "IWE"),
        ({"log_dir": "x", "alsologtostderr": False}, "E"),
        ({"log_dir": "x", "alsologtostderr": False, "stderrthreshold": 1}, "WE"),
        ({"log_dir": "x", "alsologtostderr": False, "stderrthreshold": 0}, "IWE"),
        ({"log_dir": "x", "alsologtostderr": False, "logtostderr": True}, "IWE"),
        ({"minloglevel": 1}, "WE"),
        ({"minloglevel": 3, "logtostderr": True}, ""),
        ({"alsologtostderr": False}, "IWE"),  # else it would be nowhere
    ],
)
def test_what_standard_error_gets(changes: dict[str, object], shown: str) -> None:
    stream = io.StringIO()
    handler = GlogHandler(stream, dataclasses.replace(GlogSettings(), **changes))  # type: ignore[arg-type]
    for severity in (Severity.INFO, Severity.WARNING, Severity.ERROR):
        handler.handle(record(severity, "text"))
    assert "".join(line[0] for line in stream.getvalue().splitlines()) == shown


def test_colours_are_for_terminals_that_know_them(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    settings = GlogSettings(colorlogtostderr=True)
    for stream, term, coloured in [
        (Terminal(), "xterm-256color", True),
        (Terminal(), "dumb", False),
        (io.StringIO(), "xterm", False),
    ]:
        monkeypatch.setenv("TERM", term)
        GlogHandler(stream, settings).handle(record(Severity.ERROR, "red"))
        GlogHandler(stream, settings).handle(record(Severity.INFO, "plain"))
        assert ("\033[0;31mE" in stream.getvalue()) is coloured
        assert stream.getvalue().splitlines()[-1][-5:] == "plain"


def test_what_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "GLOG_log_dir": "logs",
        "GLOG_minloglevel": "1",
        "GLOG_stderrthreshold": "0 or so",
        "GLOG_logtostderr": "yes",
        "GLOG_log_prefix": "0",
        "GLOG_alsologtostderr": "0",
        "GLOG_max_log_size": "",
    }.items():
        monkeypatch.setenv(name, value)
    settings = from_environment({"minloglevel": 0, "v": 1})
    assert settings.log_dir == "logs" and not settings.log_prefix and settings.logtostderr
    assert (settings.minloglevel, settings.stderrthreshold) == (0, 0)
    assert settings.alsologtostderr and settings.max_log_size == 1800
    assert not settings.writes_files and not script_settings().alsologtostderr
    monkeypatch.delenv("GLOG_log_dir")
    monkeypatch.setenv("GOOGLE_LOG_DIR", "others")
    assert from_environment({}).log_dir == "others"


def test_where_files_go_without_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GLOG_log_dir", "GOOGLE_LOG_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    assert not from_environment({}).writes_files
    assert from_environment({}, "caffe").folders()[0] == str(tmp_path)
    assert from_environment({}, "caffe").writes_files
    assert from_environment({"alsologtostderr": True}).writes_files
    assert from_environment({"logtostderr": False}).writes_files
    assert not from_environment({"logtostderr": True}, "caffe").writes_files


def test_logs_of_a_process_go_on_in_one_file(tmp_path: Path) -> None:
    use_glog(GlogSettings(log_dir=str(tmp_path)))
    try:
        for text in ("one", "two"):
            with CaffeLog.open(io.StringIO()) as log:
                log.note(text)
        tell_fatal("the end\nin two lines")
    finally:
        use_glog(None)
        close_files()
    lines = (tmp_path / "caffe.INFO").read_text().splitlines()[3:]
    assert [line.partition("] ")[2] or line for line in lines] == [
        "one",
        "two",
        "the end",
        "in two lines",
    ]
    assert (tmp_path / "caffe.FATAL").read_text().splitlines()[3][0] == "F"


def test_a_child_has_files_of_its_own(tmp_path: Path) -> None:
    settings = GlogSettings(log_dir=str(tmp_path))
    files = shared_files(settings)
    files.handle(record(Severity.INFO, "of the parent"))
    child = os.fork()
    if not child:
        files.handle(record(Severity.INFO, "of the child"))
        os._exit(0)
    os.waitpid(child, 0)
    files.handle(record(Severity.INFO, "of the parent again"))
    close_files()
    found = {p.name.split(".")[-1]: p.read_text() for p in tmp_path.iterdir() if not p.is_symlink()}
    assert set(found) == {str(os.getpid()), str(child)}
    assert "again" in found[str(os.getpid())] and "of the child" in found[str(child)]
