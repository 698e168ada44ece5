"""The version of Caffe whose interface this is."""

__version__ = "1.0.0"
