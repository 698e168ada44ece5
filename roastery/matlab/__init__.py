"""The MATLAB interface: matcaffe's package ``+caffe``, for MATLAB and Octave.

``+caffe`` in this folder is what users put on their path: classes and functions in MATLAB's
language. They call commands of :mod:`roastery.matlab.calls`, through a MEX file that embeds Python
(``+caffe/+internal/caffe_.c``) or through MATLAB's own ``py.`` (:mod:`roastery.matlab.py_bridge`).
Caffe: matlab/+caffe.
"""
