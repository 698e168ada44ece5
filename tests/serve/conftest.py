"""A net, and a server of it that all tests ask."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.roast_servers import FOLDER, write_net


@pytest.fixture(scope="session")
def packages() -> None:
    for name in ("fastapi", "uvicorn", "prometheus_client", "python_multipart", "httpx", "cv2"):
        pytest.importorskip(name, reason=f"{name}: pip install 'roastery[images,serve]' httpx")


@pytest.fixture(scope="session")
def net_folder(packages: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("served")
    write_net(folder)
    return folder


@pytest.fixture(scope="session")
def client(net_folder: Path) -> Iterator[Any]:
    from tests.support.roast_servers import serving

    words = ["--max-batch=4", "--max-body=200000", "--max-pixels=10000", "--read-timeout=0.5"]
    with serving(net_folder / "net.roast", *words) as found:
        yield found


@pytest.fixture
def server_modules(packages: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server's own modules can be imported."""
    monkeypatch.syspath_prepend(str(FOLDER))


@pytest.fixture
def in_folder(net_folder: Path) -> Iterator[Path]:
    before = Path.cwd()
    os.chdir(net_folder)
    yield net_folder
    os.chdir(before)
