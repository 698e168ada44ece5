"""The flags of glog and gflags, which every command has. glog: src/flags.cc; gflags: src/gflags.cc.

They are on the page of `roastery help logging`, not on each command's.
"""

from __future__ import annotations

from .command import Flag

LOGGING = "logging"
"""What `roastery help` calls these flags."""

#: What goes where. ``runtime.logging.glog_settings`` heeds the first group.
GLOG_FLAGS = (
    Flag(
        "log_dir",
        "write the log to files in this folder, one for each severity; caffe.INFO leads to the "
        "newest, caffe.WARNING and caffe.ERROR to those of lines that are at least as severe",
        metavar="FOLDER",
    ),
    Flag("log_link", "another folder for links to the newest files", metavar="FOLDER"),
    Flag("logtostderr", "log to standard error only, never to files", "bool", False),
    Flag(
        "alsologtostderr",
        "log to standard error as well as to files, without --log_dir in the folder for temporary "
        "files; off: to standard error only what --stderrthreshold says",
        "bool",
        True,
    ),
    Flag(
        "stderrthreshold",
        "the least severity that standard error always gets: 0 is INFO, 1 WARNING, 2 ERROR",
        "int",
        2,
        metavar="N",
    ),
    Flag("minloglevel", "the least severity that is logged at all", "int", 0, metavar="N"),
    Flag("log_prefix", "begin lines with severity, moment, thread and place", "bool", True),
    Flag("log_year_in_prefix", "write the year, too", "bool", False),
    Flag("log_utc_time", "write moments in UTC", "bool", False),
    Flag("colorlogtostderr", "colours on a terminal", "bool", False),
    Flag("max_log_size", "megabytes after which a new file begins", "int", 1800, metavar="N"),
    Flag("logfile_mode", "the permissions of files", "int", 0o664, metavar="N"),
    Flag(
        "stop_logging_if_full_disk",
        "give files up where the disk is full, instead of trying again",
        "bool",
        False,
    ),
)

_NONE = "accepted, and without effect: "

#: What is accepted since command lines have it, and changes nothing here.
IDLE_FLAGS = (
    Flag("v", _NONE + "there are no lines of lesser levels", "int", 0, metavar="N"),
    Flag("vmodule", _NONE + "as --v", metavar="LIST"),
    Flag("logbuflevel", _NONE + "lines are written at once", "int", 0, metavar="N"),
    Flag("logbufsecs", _NONE + "lines are written at once", "int", 30, metavar="N"),
    Flag("log_backtrace_at", _NONE + "--debug shows tracebacks", metavar="PLACE"),
    Flag("alsologtoemail", _NONE + "no mail is sent", metavar="ADDRESSES"),
    Flag("logemaillevel", _NONE + "no mail is sent", "int", 999, metavar="N"),
    Flag("logmailer", _NONE + "no mail is sent", metavar="PROGRAM"),
    Flag("drop_log_memory", _NONE + "the system decides", "bool", True),
    Flag("symbolize_stacktrace", _NONE + "--debug shows tracebacks", "bool", True),
)

#: Where flags come from besides the command line.
GFLAGS_FLAGS = (
    Flag(
        "flagfile",
        "read flags from files, separated by commas: a flag a line, --name=value; lines with # are "
        "remarks, and flags below a line with names of programs are theirs",
        metavar="FILE",
    ),
    Flag("fromenv", "take these flags from FLAGS_NAME in the environment", metavar="A,B"),
    Flag("tryfromenv", "the same, for those that are there", metavar="A,B"),
    Flag("undefok", "flags that need not be known", metavar="A,B"),
    Flag("version", "show the version", "bool", False),
    Flag("helpfull", "show the command's page, as --help", "bool", False),
    Flag("helpshort", "the same", "bool", False),
    Flag("helppackage", "the same", "bool", False),
    Flag("helpon", "the same, whichever file is named", metavar="FILE"),
    Flag("helpmatch", "the same", metavar="TEXT"),
)

HELP_FLAGS = ("help", "helpfull", "helpshort", "helppackage", "helpon", "helpmatch")

EVERYWHERE = {flag.name: flag for flag in (*GLOG_FLAGS, *IDLE_FLAGS, *GFLAGS_FLAGS)}
