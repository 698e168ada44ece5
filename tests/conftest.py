"""What every test shares: one thread per library, no settings from outside, fixed examples."""

from __future__ import annotations

import os
import signal

# Before numpy is imported: several test workers share few cores.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
os.environ.pop("ROASTERY_DEVICE", None)
os.environ.setdefault("MPLBACKEND", "Agg")

from pathlib import Path  # noqa: E402

import pytest  # noqa: E402
from hypothesis import HealthCheck, settings  # noqa: E402

# A shell starts background jobs with SIGINT ignored, and processes that tests start and interrupt
# would inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
# So does nohup with SIGHUP. A handler of our own is not inherited, and ends no test run.
if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, lambda number, frame: None)

settings.register_profile(
    "deterministic",
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
# Other examples every time, and more of them: ``--hypothesis-profile=searching``.
settings.register_profile(
    "searching",
    settings.get_profile("deterministic"),
    derandomize=False,
    max_examples=100 * int(os.environ.get("ROASTERY_TIMES", "20")),
)
settings.load_profile("deterministic")


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The recorded data that tests read: ``tests/data``."""
    return Path(__file__).parent / "data"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden",
        action="store_true",
        help="write what came out into the golden text files instead of comparing",
    )


def _has_cuda() -> bool:
    """Ask the driver itself: importing torch for this would cost every worker a second."""
    import ctypes

    try:
        driver = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return False
    count = ctypes.c_int(0)
    return (
        driver.cuInit(0) == 0
        and driver.cuDeviceGetCount(ctypes.byref(count)) == 0
        and count.value > 0
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    marked = [item for item in items if item.get_closest_marker("gpu")]
    if marked and not _has_cuda():
        for item in marked:
            item.add_marker(pytest.mark.skip(reason="no CUDA device on this machine"))


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """How long compilers take, which depends on the machine, changes nothing that is printed."""
    from roastery.devices import compiling

    monkeypatch.setattr(compiling, "PATIENCE", 3600.0)
