"""Runs one net in OpenCV 4, in an environment of its own: inputs from an .npz, results to one."""

from __future__ import annotations

import sys

import cv2
import numpy as np

if __name__ == "__main__":
    prototxt, weights, inputs, results = sys.argv[1:]
    cv2.setNumThreads(1)
    net = cv2.dnn.readNetFromCaffe(prototxt, weights)
    net.setPreferableBackend(cv2.dnn.DNN_BACKEND_OPENCV)
    with np.load(inputs) as given:
        for name in given.files:
            net.setInput(given[name], name)
    names = net.getUnconnectedOutLayersNames()
    np.savez(results, **dict(zip(names, net.forward(names), strict=True)))
