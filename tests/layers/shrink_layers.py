"""Python layers as users write them for pycaffe; the tests' nets name this module."""

import caffe
import numpy as np

calls = []


class Distance(caffe.Layer):
    """The usual example: half the mean squared distance."""

    def setup(self, bottom, top):
        if len(bottom) != 2:
            raise Exception("Need two inputs to compute distance.")
        self.factor = float(self.param_str or 1)
        calls.append(("setup", self.phase))

    def reshape(self, bottom, top):
        self.diff = np.zeros_like(bottom[0].data, dtype=np.float32)
        top[0].reshape(1)

    def forward(self, bottom, top):
        self.diff[...] = bottom[0].data - bottom[1].data
        top[0].data[...] = self.factor * np.sum(self.diff**2) / bottom[0].num / 2.0

    def backward(self, top, propagate_down, bottom):
        calls.append(("backward", list(propagate_down)))
        for i, sign in enumerate((1, -1)):
            if propagate_down[i]:
                scale = sign * self.factor * top[0].diff[0] / bottom[i].num
                bottom[i].diff[...] = scale * self.diff


class Gain(caffe.Layer):
    """A layer with a parameter of its own."""

    def setup(self, bottom, top):
        self.blobs.add_blob(2, 1)
        self.blobs[0].data[...] = 3.0

    def reshape(self, bottom, top):
        top[0].reshape(*bottom[0].shape)

    def forward(self, bottom, top):
        top[0].data[...] = bottom[0].data * self.blobs[0].data[0, 0]

    def backward(self, top, propagate_down, bottom):
        self.blobs[0].diff[0, 0] += np.sum(top[0].diff * bottom[0].data)
        if propagate_down[0]:
            bottom[0].diff[...] = top[0].diff * self.blobs[0].data[0, 0]


class Positive(caffe.Layer):
    """As many rows as are positive: known in forward only."""

    def setup(self, bottom, top):
        top[0].reshape(1, bottom[0].shape[1])

    def reshape(self, bottom, top):
        pass

    def forward(self, bottom, top):
        calls.append("forward")
        rows = bottom[0].data[bottom[0].data[:, 0] > 0]
        top[0].reshape(*rows.shape)
        top[0].data[...] = rows


class Legacy(caffe.Layer):
    def setup(self, bottom, top):
        b = bottom[0]
        self.seen = [b.num, b.channels, b.height, b.width, b.count]

    def reshape(self, bottom, top):
        top[0].reshape(5)

    def forward(self, bottom, top):
        top[0].data[:] = self.seen


class Faulty(Gain):
    def forward(self, bottom, top):
        top[0].data[...] = np.zeros(99)


class Refuses(Gain):
    def setup(self, bottom, top):
        raise ValueError("no good")


class Negative(Gain):
    def reshape(self, bottom, top):
        top[0].reshape(-1)


class Forgets(caffe.Layer):
    def reshape(self, bottom, top):
        top[0].reshape(1)
