"""Caffe's programs, and where its build puts them or its sources have them.

Caffe: Makefile, tools/CMakeLists.txt, examples/CMakeLists.txt, python/, scripts/, tools/extra/.
"""

from __future__ import annotations

#: Below build/tools.
TOOLS = (
    "caffe",
    "compute_image_mean",
    "convert_annoset",
    "convert_imageset",
    "device_query",
    "extract_features",
    "upgrade_net_proto_binary",
    "upgrade_net_proto_text",
    "upgrade_solver_proto_text",
)
#: Below build/examples.
EXAMPLES = (
    "mnist/convert_mnist_data",
    "cifar10/convert_cifar_data",
    "siamese/convert_mnist_siamese_data",
    "cpp_classification/classification",
)
#: Of Python, below the checkout itself; the others are the shell's.
SCRIPTS = (
    "python/classify.py",
    "python/detect.py",
    "python/draw_net.py",
    "python/train.py",
    "scripts/create_annoset.py",
    "tools/extra/parse_log.py",
    "tools/extra/plot_training_log.py",
)
SHELL_SCRIPTS = ("tools/extra/parse_log.sh",)
