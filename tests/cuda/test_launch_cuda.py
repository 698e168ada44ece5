"""Packing arguments, choosing binaries and launching, with the driver made of Python."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from fake_cuda import FakeCuda

from compiler.architecture import Architecture
from compiler.binary import Binary, Resources
from ir.errors import RoasteryError
from runtime.cuda.driver import Device
from runtime.cuda.launcher import KernelLoader, choose_binary, runs_on
from runtime.cuda.packing import PackedArguments

KINDS = ("pointer", "pointer", "i32", "i64", "f32", "global_scratch", "profile_scratch")


def binary(capability: int = 90, shared: int = 0, scratch: tuple[int, int] = (0, 1)) -> Binary:
    return Binary(
        entry="axpy",
        architecture=Architecture(capability),
        num_warps=4,
        arguments=KINDS,
        scratch=scratch,
        resources=Resources(32, 0, 0, shared),
        triton="3.9.0",
        cubin=b"\x7fELF" + bytes([capability]),
        ptx=f".version 7.4 // sm_{capability}",
    )


class Machine:
    """A fake GPU with an axpy kernel."""

    def __init__(self, capability: int = 90) -> None:
        self.fake = FakeCuda(capability)
        self.fake.kernels["axpy"] = (KINDS, self.axpy)
        self.device = Device(0, self.fake.driver())
        self.stream = self.device.stream()
        self.loader = KernelLoader(self.device, self.stream)
        self.hidden: list[tuple[int, int]] = []

    def axpy(
        self,
        grid: tuple[int, int, int],
        x: int, y: int, count: int, first: int, a: float, scratch: int, profile: int,
    ) -> None:  # fmt: skip
        source = self.fake.array(x, count, np.float32)
        self.fake.array(y, count, np.float32)[:] += np.float32(a) * source + np.float32(first)
        self.hidden.append((scratch, profile))


@pytest.fixture
def machine() -> Machine:
    return Machine()


def test_values_stand_where_the_pointers_point() -> None:
    packed = PackedArguments(KINDS, [2**63, 16, -5, -(2**40), 0.5])
    raw = packed._bytes.raw
    assert raw[:56] == (
        (2**63).to_bytes(8, "little")
        + (16).to_bytes(8, "little")
        + (-5).to_bytes(4, "little", signed=True) + bytes(4)
        + (-(2**40)).to_bytes(8, "little", signed=True)
        + np.float32(0.5).tobytes() + bytes(4)
        + bytes(16)  # hidden pointers are null unless given
    )  # fmt: skip
    steps = np.diff([packed.pointers[i] for i in range(len(KINDS))])
    assert np.all(steps == 8)
    packed.set(2, 7)
    assert packed._bytes.raw[16:20] == (7).to_bytes(4, "little")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([1, 2, 2**31, 0, 0.0], "argument 2: 2147483648 is no i32"),
        ([1, 2, 1.5, 0, 0.0], "argument 2: 1.5 is no i32"),
        ([-1, 2, 3, 0, 0.0], "argument 0: -1 is no pointer"),
        ([1, 2, 3, 0, 1e39], "argument 4: 1e[+]39 is no f32"),
        ([1, 2, 3], "3 arguments given, the kernel takes 5"),
        ([1] * 8, "8 arguments given"),
    ],
)
def test_values_that_do_not_fit(values: list, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        PackedArguments(KINDS, values)


@pytest.mark.parametrize(
    ("compiled", "device", "runs"),
    [
        (80, 80, True),
        (80, 86, True),
        (86, 89, True),
        (86, 80, False),
        (80, 90, False),
        (90, 90, True),
        (90, 100, False),
        (100, 103, False),
    ],
)
def test_which_cubins_run_where(compiled: int, device: int, runs: bool) -> None:
    assert runs_on(Architecture(compiled), device) is runs


@pytest.mark.parametrize(
    ("compiled", "device", "chosen"),
    [
        ((80, 90), 90, (90, "cubin")),
        ((80, 90), 80, (80, "cubin")),
        ((80, 86, 90), 89, (86, "cubin")),
        ((80, 90), 100, (80, "ptx")),
        ((80, 90), 120, (80, "ptx")),
        ((80,), 90, (80, "ptx")),
    ],
)
def test_the_best_image(compiled: tuple[int, ...], device: int, chosen: tuple[int, str]) -> None:
    best, image = choose_binary([binary(c) for c in compiled], device)
    assert best.architecture.capability == chosen[0]
    assert image == (best.cubin if chosen[1] == "cubin" else best.ptx)


@pytest.mark.parametrize(("compiled", "device"), [((90,), 80), ((90,), 100), ((86,), 80), ((), 90)])
def test_no_image(compiled: tuple[int, ...], device: int) -> None:
    with pytest.raises(RoasteryError, match=f"there is no code for this GPU .sm_{device}."):
        choose_binary([binary(c) for c in compiled], device)


def test_launches(machine: Machine) -> None:
    x, y = machine.device.allocate(256), machine.device.allocate(256)
    machine.stream.upload(x.address, np.arange(64, dtype=np.float32))
    machine.stream.clear(y.address, 256)
    given = binary(), binary().cubin, (4, 2, 1), [x.address, y.address, 50, 3, 0.5], "sum"
    run = machine.loader.prepare(*given)
    assert not machine.fake.launches
    run()
    machine.fake.check()
    result = np.empty(64, np.float32)
    machine.stream.download(result, y.address)
    np.testing.assert_array_equal(result[:50], np.arange(50) * 0.5 + 3)
    assert np.all(result[50:] == 0)
    assert machine.fake.launches == [("axpy", (4, 2, 1), 128, 0)]
    assert machine.hidden == [(0, 0)]
    # Binding again loads nothing again.
    machine.loader.prepare(*given)
    assert len(machine.fake.images) == 1


def test_an_empty_grid_is_not_launched(machine: Machine) -> None:
    machine.loader.prepare(binary(), b"", (0, 1, 1), [], "sum")()
    assert not machine.fake.launches and not machine.fake.images


def test_global_scratch_is_given_per_program(machine: Machine) -> None:
    image = binary(scratch=(100, 128))
    target = machine.device.allocate(256)
    run = machine.loader.prepare(
        image, image.cubin, (3, 2, 1), [target.address, target.address, 4, 0, 1.0], "sum"
    )
    run()
    ((scratch, profile),) = machine.hidden
    assert scratch % 128 == 0 and profile == 0
    machine.fake.array(scratch, 600, np.uint8)  # lies inside of one allocation


def test_shared_memory(machine: Machine) -> None:
    for shared in (1024, 100 << 10):
        image = dataclasses.replace(binary(shared=shared), cubin=b"\x7fELF%d" % shared)
        address = machine.device.allocate(64).address
        machine.loader.prepare(image, image.cubin, (1, 1, 1), [address] * 2 + [0, 0, 0], "sum")
    machine.fake.check()
    image = binary(shared=300 << 10)
    with pytest.raises(RoasteryError, match="kernel sum needs 307200 bytes of shared memory"):
        machine.loader.prepare(image, image.cubin, (1, 1, 1), [0, 0, 0, 0, 0], "sum")


@pytest.mark.parametrize("grid", [(1, 65536, 1), (2**31, 1, 1), (-1, 1, 1)])
def test_grids_that_are_too_large(machine: Machine, grid: tuple[int, int, int]) -> None:
    with pytest.raises(RoasteryError, match="kernel sum: a grid of"):
        machine.loader.prepare(binary(), b"\x7fELF", grid, [0, 0, 0, 0, 0], "sum")


def test_wrong_arguments_name_the_kernel(machine: Machine) -> None:
    with pytest.raises(ValueError, match="kernel sum: 2 arguments given, the kernel takes 5"):
        machine.loader.prepare(binary(), b"\x7fELF", (1, 1, 1), [0, 0], "sum")
