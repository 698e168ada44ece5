"""Stored binaries: kept whole, found again, and never half read."""

from __future__ import annotations

import dataclasses

import pytest

from compiler.architecture import Architecture
from compiler.binary import Binary
from compiler.kernel import Config, Kernel
from compiler.triton.compile import Job
from compiler.triton.compile.store import BinaryStore
from ir.errors import RoasteryError
from tests.support.small_binary import BINARY, KEY


def test_a_binary_is_found_again(store: BinaryStore) -> None:
    assert store.load(KEY) is None
    store.save(KEY, BINARY)
    assert store.load(KEY) == BINARY
    assert store.load("cd" * 32) is None


def test_a_damaged_entry_is_a_miss(store: BinaryStore) -> None:
    store.save(KEY, BINARY)
    path = store.folder / KEY[:2] / KEY
    sound = path.read_bytes()
    for at in range(len(sound)):
        path.write_bytes(sound[:at] + bytes([sound[at] ^ 0x10]) + sound[at + 1 :])
        assert store.load(KEY) is None, f"byte {at}"
    for length in range(0, len(sound), 7):
        path.write_bytes(sound[:length])
        assert store.load(KEY) is None, f"{length} bytes"
    store.save(KEY, BINARY)
    assert store.load(KEY) == BINARY


def test_a_folder_that_cannot_be_written_is_no_error(store: BinaryStore) -> None:
    store.folder.parent.mkdir(parents=True, exist_ok=True)
    store.folder.write_text("a file where the folder should be")
    store.save(KEY, BINARY)
    assert store.load(KEY) is None


@pytest.mark.parametrize(
    "change",
    [
        {"entry": "not a name"},
        {"entry": None},
        {"arguments": ["pointer", "struct"]},
        {"scratch": [-1, 1]},
        {"scratch": [1]},
        {"num_warps": 0},
        {"num_warps": True},
        {"registers": "32"},
    ],
)
def test_malformed_headers_are_refused(change: dict) -> None:
    with pytest.raises(ValueError, match="binary: "):
        Binary.from_header({**BINARY.header(), **change}, b"", "")


def test_targets() -> None:
    assert str(Architecture.parse("cuda:sm_120")) == "cuda:sm_120"
    assert Architecture.parse("cuda:sm_75").capability == 75
    with pytest.raises(
        RoasteryError, match=r"cuda:sm_70 is too old: .* sm_75 \(Turing\) and newer"
    ):
        Architecture.parse("cuda:sm_70")
    for text in ("sm_90", "cuda:sm_", "cuda:0", "cuda:sm_90a"):
        with pytest.raises(RoasteryError, match="unknown target"):
            Architecture.parse(text)


def test_the_key_holds_all_that_decides_the_bytes(axpy: Kernel) -> None:
    job = Job(axpy, Config((("BLOCK", 256),)), Architecture(90))
    parameters = axpy.parameters
    others = [
        dataclasses.replace(job, architecture=Architecture(80)),
        dataclasses.replace(job, config=Config((("BLOCK", 512),))),
        dataclasses.replace(job, config=dataclasses.replace(job.config, num_stages=3)),
        dataclasses.replace(job, config=Config((("BLOCK", 256),), num_warps=8)),
        dataclasses.replace(job, kernel=dataclasses.replace(axpy, source=axpy.source + "\n")),
        dataclasses.replace(
            job,
            kernel=dataclasses.replace(
                axpy,
                parameters=(dataclasses.replace(parameters[0], divisible=False), *parameters[1:]),
            ),
        ),
    ]
    keys = [job.key("3.9.0"), job.key("3.6.0"), *(other.key("3.9.0") for other in others)]
    assert len(set(keys)) == len(keys)
    # What a person reads does not count.
    named = dataclasses.replace(job, users=("conv1",))
    assert named.key("3.9.0") == job.key("3.9.0")
