"""What libraries have dropped is there for scripts of Python 2, and does what it did."""

from __future__ import annotations

from collections.abc import Callable

import pytest

Run = Callable[..., str]


def test_scipy(python2: Run) -> None:
    pytest.importorskip("scipy")
    text = """
    import numpy as np
    import scipy, scipy.misc, scipy.ndimage, scipy.signal, scipy.stats, scipy.integrate
    from scipy.misc import imread, imsave, imresize, toimage, logsumexp
    a = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
    imsave('a.png', a)
    print (imread('a.png') == a).all(), imread('a.png', flatten=True).dtype,
    print imread('a.png', mode='L').shape
    print imresize(a, 0.5).shape, imresize(a, 200).shape,
    print imresize(a, (3, 5), interp='nearest').shape
    print imresize(np.array([[0., 1.], [2., 4.]]), (2, 2), 'nearest').tolist()
    b = np.array([[0., 2.]])
    print toimage(b).getpixel((1, 0)), toimage(b, cmin=0, cmax=4).getpixel((1, 0))
    print round(logsumexp([0, 0]), 4), scipy.ndimage.imread('a.png').shape,
    print scipy.signal.hann(3).tolist()
    print scipy.pi > 3, scipy.array([1]), scipy.integrate.trapz([1, 2]),
    print scipy.misc.comb(4, 2), scipy.misc.factorial(3)
    print scipy.stats.threshold(np.arange(4), 1, 2, 9).tolist(),
    print scipy.ndimage.zoom(np.ones((2, 2)), 2).shape, scipy.ndimage.zoom(np.ones(5), 0.5).shape
    """
    assert python2(text).splitlines() == [
        "True float32 (4, 4)",
        "(2, 2, 3) (8, 8, 3) (3, 5, 3)",
        "[[0, 64], [128, 255]]",
        "255 128",
        "0.6931 (4, 4, 3) [0.0, 1.0, 0.0]",
        "True [1] 1.5 6.0 6.0",
        "[9, 1, 2, 9] (4, 4) (3,)",
    ]


def test_numpy(python2: Run) -> None:
    text = """
    import numpy as np
    print [np.float64(1.5), np.int64(2)], np.vstack(np.ones(2) * i for i in range(2)).tolist(),
    print np.hstack([[1], [2]])
    """
    assert python2(text) == "[1.5, 2] [[0.0, 0.0], [1.0, 1.0]] [1 2]\n"
    import numpy

    assert repr(numpy.float64(1.5)) == "np.float64(1.5)"


def test_pandas(python2: Run) -> None:
    pytest.importorskip("pandas")
    text = """
    import pandas as pd
    df = pd.DataFrame({'a': [3, 1], 'b': [0.5, 1.5]}, index=['x', 'y'])
    print df.ix['x', 'a'], df.ix[1, 'b'], df.ix[0]['a'], df.ix[:1].shape,
    print df.ix['x':'y', 'a'].tolist()
    df.ix['x', 'a'] = 5
    df = df.append({'a': 7, 'b': 2.}, ignore_index=True)
    print df['a'].tolist(), df.append(df).shape, df.ix[2]['a'], df.sort('a')['a'].tolist()
    print df.as_matrix().shape, [name for name, column in df.iteritems()], df['a'].order().tolist()
    row = pd.Series([1, 2], index=['k', 'v'])
    e = pd.DataFrame(columns=['k', 'v']).append(row, ignore_index=True)
    print list(e), len(e)
    df.to_csv('d.csv', cols=['b'], index=False)
    print open('d.csv').read().split(), pd.rolling_mean(df['b'], 2).tolist()[1]
    """
    assert python2(text).splitlines() == [
        "3 1.5 3.0 (1, 2) [3, 1]",
        "[5, 1, 7] (6, 2) 7.0 [1, 5, 7]",
        "(3, 2) ['a', 'b'] [1, 5, 7]",
        "['k', 'v'] 1",
        "['b', '0.5', '1.5', '2.0'] 1.0",
    ]


def test_pictures_and_plots(python2: Run) -> None:
    pytest.importorskip("PIL")
    pytest.importorskip("matplotlib")
    text = """
    import matplotlib
    matplotlib.use('Agg', warn=False)
    import matplotlib.pyplot as plt, matplotlib.cm as cm
    from matplotlib import mlab
    import Image, PIL.ImageDraw as draw, cv2
    import numpy as np
    from cStringIO import StringIO
    im = Image.fromarray(np.zeros((4, 6, 3), np.uint8))
    print im.resize((2, 2), Image.ANTIALIAS).size, len(im.tostring()),
    print draw.Draw(im).textsize('a')[0] > 0
    f = StringIO(); im.save(f, 'png'); print Image.open(StringIO(f.getvalue())).size
    im.save(open('x.png', 'w'), 'png'); print Image.open(open('x.png')).size
    ax = plt.figure().gca(); ax.hold(True); plt.hold(False); ax.set_axis_bgcolor('red')
    print ax.hist([1, 2, 2], bins=2, normed=True)[0].sum(), cm.get_cmap('spectral').name,
    print cm.jet is not None
    print round(mlab.normpdf(0, 0, 1), 4), cv2.CV_AA == cv2.LINE_AA, cv2.cv.CV_LOAD_IMAGE_COLOR
    """
    pytest.importorskip("cv2")
    assert python2(text).splitlines() == [
        "(2, 2) 72 True", "(6, 4)", "(6, 4)", "2.0 nipy_spectral True", "0.3989 True 1",
    ]  # fmt: skip


def test_yaml_and_hdf5(python2: Run) -> None:
    text = """
    import h5py
    f = h5py.File('x.h5'); f['a'] = [1, 2]; print f['a'].value.tolist(), f.keys()[0]
    """
    assert python2(text) == "[1, 2] a\n"
    pytest.importorskip("yaml")
    assert python2("import yaml\nprint yaml.load('a: [1, 2]')") == "{'a': [1, 2]}\n"


def test_scikit_learn(python2: Run) -> None:
    pytest.importorskip("sklearn")
    text = """
    from sklearn.cross_validation import train_test_split, KFold
    from sklearn.externals import joblib
    from sklearn.linear_model import SGDClassifier
    import numpy as np
    x, y = np.arange(20.).reshape(10, 2), np.arange(10) % 2
    print [len(test) for train, test in KFold(10, n_folds=5)], len(train_test_split(x, y))
    model = SGDClassifier(loss='log', n_iter=5).fit(x, y)
    print model.predict(x).shape
    """
    assert python2(text) == "[2, 2, 2, 2, 2] 4\n(10,)\n"


def test_scikit_image(python2: Run) -> None:
    pytest.importorskip("skimage", reason="scikit-image is not installed")
    text = """
    import numpy as np
    import skimage.io, skimage.transform, skimage.measure, skimage.feature, skimage.color
    import skimage.segmentation
    from skimage import filter, img_as_float
    from skimage.filters import gaussian_filter
    a = np.zeros((16, 16, 3), np.uint8); a[4:8] = 200
    skimage.io.imsave('a.png', a)
    print skimage.io.imread('a.png').shape, skimage.io.imread('a.png', as_grey=True).shape
    print skimage.transform.resize(a, (8.0, 8)).shape,
    print skimage.transform.rescale(a, 0.5, multichannel=True).shape
    print skimage.measure.compare_ssim(a, a, multichannel=True),
    print skimage.measure.label(a[..., 0] > 0, neighbors=8).max()
    print len(skimage.feature.hog(a[..., 0], visualise=True, cells_per_block=(1, 1))),
    print filter.sobel is not None
    print gaussian_filter(img_as_float(a), 1, multichannel=True).shape,
    print skimage.color.rgb2grey(a[..., 0]).shape
    print skimage.transform.rescale(a, 0.5).shape, filter.sobel(np.eye(4))[0].tolist(),
    print skimage.segmentation.slic(a, n_segments=2).min(),
    ramp = np.arange(64.).reshape(8, 8)
    print skimage.feature.hog(ramp, cells_per_block=(1, 1)).sum().round(4)
    """
    assert python2(text).splitlines() == [
        "(16, 16, 3) (16, 16)", "(8, 8, 3) (8, 8, 3)", "1.0 1", "2 True", "(16, 16, 3) (16, 16)",
        "(8, 8, 3) [0.0, 0.0, 0.0, 0.0] 0 1.0",
    ]  # fmt: skip
