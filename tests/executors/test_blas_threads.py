"""How many threads numpy's products use in a user's own process: real processes, no limits set."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BEGIN = """
import os, threading
import numpy as np
from threadpoolctl import ThreadpoolController, threadpool_limits
BLAS = ThreadpoolController().select(user_api="blas").lib_controllers
def count():
    return [library.get_num_threads() for library in BLAS]
DEFAULT = count()

import roastery, roastery.caffe as caffe
from runtime.machine.blas_threads import ONE_BLAS_THREAD
SEEN = []
class Look(caffe.Layer):
    def setup(self, bottom, top): pass
    def reshape(self, bottom, top): top[0].reshape(1)
    def forward(self, bottom, top): SEEN.append(count()); top[0].data[...] = 1
    def backward(self, top, down, bottom): SEEN.append(count())
def seen():
    found = [n for counts in SEEN for n in counts]
    SEEN.clear()
    return found
import sys
sys.modules["looking"] = sys.modules["__main__"]
open("net.prototxt", "w").write('''force_backward: true
layer { name: "x" type: "Input" top: "x" input_param { shape { dim: 2 dim: 3 } } }
layer { name: "py" type: "Python" bottom: "x" top: "y" loss_weight: 1
  python_param { module: "looking" layer: "Look" } }''')
ONES = [1] * len(BLAS)
"""

pytestmark = pytest.mark.skipif(
    (os.cpu_count() or 1) < 2, reason="numpy has one thread on one core"
)


def run(script: str, tmp_path: Path, **environment: str) -> None:
    """Run a script that fails where something is not as it says."""
    kept = {name: v for name, v in os.environ.items() if not name.endswith("_NUM_THREADS")}
    done = subprocess.run(
        [sys.executable, "-c", BEGIN + script],
        env={**kept, "PYTHONPATH": str(ROOT), **environment},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr


def test_one_thread_while_a_net_runs_and_no_other_time(tmp_path: Path) -> None:
    run(
        """
assert count() == DEFAULT
net, compiled = caffe.Net("net.prototxt", caffe.TRAIN), roastery.compile("net.prototxt")
assert count() == DEFAULT
net.forward(); net.backward(); net.forward_all(x=np.ones((4, 3)))
assert seen() == 4 * ONES
compiled(x=np.ones((2, 3))); compiled.backward()
assert set(seen()) == {1}
roastery.check_gradient("net.prototxt")
assert set(seen()) == {1}
assert count() == DEFAULT
class Stop(Exception): pass
Look.forward = lambda *given: (_ for _ in ()).throw(Stop())
try: net.forward()
except Stop: pass
assert count() == DEFAULT
""",
        tmp_path,
    )


def test_limits_of_the_user_win(tmp_path: Path) -> None:
    run(
        """
net = caffe.Net("net.prototxt", caffe.TRAIN)
with threadpool_limits(DEFAULT[0] if DEFAULT else 1):
    net.forward()
    assert seen() == DEFAULT
net.forward()
assert seen() == ONES
with threadpool_limits(1):
    net.forward()
    assert count() == ONES
assert count() == DEFAULT
seen()
def forward(self, bottom, top):  # in a layer
    with threadpool_limits(2):
        SEEN.append(count())
    assert count() == ONES
Look.forward = forward
net.forward()
assert seen() == [2] * len(BLAS)
assert count() == DEFAULT
threadpool_limits(2)  # for good
Look.forward = lambda self, bottom, top: SEEN.append(count())
net.forward()
assert seen() == [2] * len(BLAS)
""",
        tmp_path,
    )


@pytest.mark.parametrize("name", ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"])
def test_the_environment_wins(tmp_path: Path, name: str) -> None:
    script = """
caffe.Net("net.prototxt", caffe.TRAIN).forward()
assert seen() == DEFAULT == [2] * len(BLAS)
"""
    run(script, tmp_path, **{name: "2"})


def test_threads_and_forks_leave_the_number_as_it_was(tmp_path: Path) -> None:
    run(
        """
nets = [caffe.Net("net.prototxt", caffe.TRAIN) for _ in range(4)]
def work(net):
    for _ in range(50): net.forward()
threads = [threading.Thread(target=work, args=[net]) for net in nets]
for thread in threads: thread.start()
for thread in threads: thread.join()
assert set(seen()) <= {1}
assert count() == DEFAULT
inside, leave = threading.Event(), threading.Event()
def hold():
    with ONE_BLAS_THREAD:
        inside.set()
        leave.wait()
thread = threading.Thread(target=hold)
thread.start(); inside.wait()
assert count() == ONES
if os.fork() == 0:
    right = count() == DEFAULT
    nets[0].forward()
    os._exit(0 if right and seen() == ONES and count() == DEFAULT else 7)
assert os.wait()[1] == 0
leave.set(); thread.join()
assert count() == DEFAULT
""",
        tmp_path,
    )
