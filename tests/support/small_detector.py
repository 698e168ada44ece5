"""A net that finds objects of two classes in small pictures, as SSD does."""

from __future__ import annotations

SSD = """
name: "Boxes"
layer { name: "data" type: "Input" top: "data"
  input_param { shape { dim: 1 dim: 3 dim: 6 dim: 8 } } }
layer { name: "c" type: "Convolution" bottom: "data" top: "c" convolution_param {
  num_output: 4 kernel_size: 3 stride: 3 weight_filler { type: "gaussian" std: 0.02 } } }
layer { name: "priors" type: "PriorBox" bottom: "c" bottom: "data" top: "priors"
  prior_box_param { min_size: 4 aspect_ratio: 2 flip: true variance: 0.1 variance: 0.1
  variance: 0.2 variance: 0.2 } }
layer { name: "loc" type: "InnerProduct" bottom: "c" top: "loc"
  inner_product_param { num_output: 48 weight_filler { type: "gaussian" std: 0.01 } } }
layer { name: "conf" type: "InnerProduct" bottom: "c" top: "conf"
  inner_product_param { num_output: 36 weight_filler { type: "gaussian" std: 0.1 } } }
layer { name: "three" type: "Reshape" bottom: "conf" top: "three"
  reshape_param { shape { dim: 0 dim: -1 dim: 3 } } }
layer { name: "soft" type: "Softmax" bottom: "three" top: "soft" softmax_param { axis: 2 } }
layer { name: "flat" type: "Flatten" bottom: "soft" top: "flat" }
layer { name: "found" type: "DetectionOutput" bottom: "loc" bottom: "flat" bottom: "priors"
  top: "found" detection_output_param { num_classes: 3 code_type: CENTER_SIZE
  confidence_threshold: 0.2 nms_param { nms_threshold: 0.9 } } }
"""
