"""Boxes of objects in pictures, in parts of the picture's size. weiliu89/caffe: bbox_util.cpp."""
