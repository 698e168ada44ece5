"""Published nets with their weights, here and in OpenCV 4: how far results differ."""
