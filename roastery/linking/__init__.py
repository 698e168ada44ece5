"""``caffe`` in an environment for good: what `roastery link` writes, `roastery unlink` removes."""
