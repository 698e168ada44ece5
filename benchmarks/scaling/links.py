"""What GPUs are joined by, and where the figures come from.

Bandwidths are bytes a second in one direction that collectives reach (NCCL's "bus bandwidth"), not
what is printed on a link. Hops are how long one step of a collective takes besides its bytes.

Sources:

* [latency] NVIDIA/nccl, src/graph/tuning.cc, ``baseLat`` and ``hwLat``: what NCCL itself takes for
  its algorithms and protocols over NVLink and networks when it chooses among them.
  https://github.com/NVIDIA/nccl/blob/master/src/graph/tuning.cc
* [nvlink] NVIDIA/nccl, src/graph/topo.h: 20 GB/s of each of an A100's 12 NVLinks, 20.6 of each of
  an H100's 18 (https://github.com/NVIDIA/nccl/blob/master/src/graph/topo.h). Measured: 235 GB/s on
  A100s (https://github.com/stas00/ml-engineering/tree/master/network), 370 on H100s without
  NVLink SHARP, with it up to 480 (https://github.com/NVIDIA/nccl-tests/issues/212).
* [ndr] 46 to 48 GB/s of each NIC of 400 Gb/s: https://github.com/NVIDIA/nccl-tests/issues/290. A
  DGX H100 has eight of them, https://docs.nvidia.com/dgx/dgxh100-user-guide/.
* [network] NVIDIA/nccl, src/graph/topo.h: 12 GB/s of 100 Gb/s. HDR is 200 Gb/s, of which a
  DGX A100 has eight, https://docs.nvidia.com/dgx/dgxa100-user-guide/.
* [efa] p5.48xlarge: 3,200 Gb/s, https://aws.amazon.com/ec2/instance-types/p5/. All-reduces of 8
  bytes took 163, 319 and 631 us on 2, 4 and 8 p3dn.24xlarge (8 GPUs each) over the first EFA
  (https://gist.github.com/jacobkahn/a92f4425abf831ac0799fabe9079263d,
  https://gist.github.com/jacobkahn/1fb3977e99056b7935a6c63dda1e145f,
  https://gist.github.com/jacobkahn/3150a1a38abba40f58d8263d9c55969f): 78 us a node, of which
  fourteen hops are NVLink's, so 33 us for each of two hops of the network.
"""

from __future__ import annotations

from dataclasses import dataclass

GPUS = 8
"""Of a node."""

GB, US = 1e9, 1e-6


@dataclass(frozen=True)
class Protocol:
    """How a collective moves bytes: NCCL's low latency protocols pay for it in bandwidth.

    Attributes:
        base: seconds of a call. nvlink, network: of a hop. share: of the bandwidth.
    """

    name: str
    base: float
    nvlink: float
    network: float
    share: float


# [latency]. Shares: 8 of 8 bytes are data in Simple, 120 of 128 in LL128, and LL reaches a quarter.
RING = (
    Protocol("LL", 3.6 * US, 0.47 * US, 2.7 * US, 1 / 4),
    Protocol("LL128", 10.0 * US, 1.9 * US, 4.0 * US, 0.92),
    Protocol("Simple", 8.4 * US, 3.4 * US, 9.6 * US, 1.0),
)
TREE = (
    Protocol("LL", 4.4 * US, 0.52 * US, 5.0 * US, 0.9 / 3.8),
    Protocol("LL128", 4.4 * US, 1.2 * US, 8.5 * US, 0.9 * 0.915),
    Protocol("Simple", 0.0, 28 * US, 50 * US, 0.9),
)


@dataclass(frozen=True)
class Network:
    """Between nodes. ``bandwidth``: of a node. ``slower``: seconds that a hop takes more than over
    InfiniBand, to which NCCL's figures belong."""

    name: str
    bandwidth: float
    slower: float = 0.0


NVLINK = {80: 235 * GB, 90: 370 * GB}
"""By generation of GPU: of one GPU. [nvlink]"""

NDR = Network("8 x InfiniBand NDR", 8 * 47 * GB)  # [ndr]
HDR = Network("8 x InfiniBand HDR", 8 * 24 * GB)  # [network]
EFA = Network("EFA, 3,200 Gb/s", 32 * 12 * GB, 30 * US)  # [network], [efa]
ETHERNET_100 = Network("100 Gb Ethernet", 12 * GB, 30 * US)  # [network]; hops as EFA's: no source
ETHERNET_25 = Network("25 Gb Ethernet", 3 * GB, 30 * US)  # [network]; hops likewise
NETWORKS = (NDR, HDR, EFA, ETHERNET_100, ETHERNET_25)
