"""SparseInnerProduct: InnerProduct with rows that are mostly 0, which are dense here."""

from __future__ import annotations

from ..registry import layer
from .inner_product import lower_inner_product

layer(
    "SparseInnerProduct",
    param="inner_product_param",
    fork="jolibrain",
    note="What SparseData reads is dense, and so is the product: it is InnerProduct's.",
)(lower_inner_product)
