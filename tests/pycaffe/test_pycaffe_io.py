"""caffe.io: messages, pictures, the Transformer; caffe_pb2; Classifier and Detector."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from google.protobuf import text_format

import roastery.caffe as caffe
from ir.errors import RoasteryError
from roastery.caffe.proto import caffe_pb2

cv2 = pytest.importorskip("cv2")

RNG = np.random.default_rng(0)


# --- messages -----------------------------------------------------------------------------


def test_blobprotos() -> None:
    array = RNG.standard_normal((2, 3, 4)).astype(np.float32)
    blob = caffe.io.array_to_blobproto(array, diff=-array)
    np.testing.assert_array_equal(caffe.io.blobproto_to_array(blob), array)
    np.testing.assert_array_equal(caffe.io.blobproto_to_array(blob, return_diff=True), -array)
    old = caffe_pb2.BlobProto(num=1, channels=2, height=3, width=1, data=range(6))
    assert caffe.io.blobproto_to_array(old).shape == (1, 2, 3, 1)
    double = caffe_pb2.BlobProto(double_data=[1.5, 2.5])
    double.shape.dim.append(2)
    np.testing.assert_array_equal(caffe.io.blobproto_to_array(double), [1.5, 2.5])
    assert caffe.io.blobproto_to_array(caffe_pb2.BlobProto(data=[123])) == 123
    with pytest.raises(ValueError, match="holds 3 values"):
        caffe.io.blobproto_to_array(caffe_pb2.BlobProto(data=[1, 2, 3]))
    with pytest.raises(ValueError, match="diff"):
        caffe.io.array_to_blobproto(array, diff=array[0])


def test_blobproto_vectors() -> None:
    arrays = [np.arange(3.0), np.ones((2, 2))]
    text = caffe.io.arraylist_to_blobprotovector_str(arrays)
    for one, other in zip(caffe.io.blobprotovector_str_to_arraylist(text), arrays, strict=True):
        np.testing.assert_array_equal(one, other)


def test_datums() -> None:
    pixels = RNG.integers(0, 255, (3, 4, 5), np.uint8)
    datum = caffe.io.array_to_datum(pixels, 7)
    assert (datum.channels, datum.height, datum.width, datum.label) == (3, 4, 5, 7)
    back = caffe.io.datum_to_array(datum)
    assert back.dtype == np.uint8 and back.flags.writeable
    np.testing.assert_array_equal(back, pixels)
    floats = pixels / np.float32(7)
    datum = caffe.io.array_to_datum(floats)
    assert not datum.HasField("label") and not datum.data
    np.testing.assert_allclose(caffe.io.datum_to_array(datum), floats, rtol=1e-6)
    with pytest.raises(ValueError, match="channels, height, width"):
        caffe.io.array_to_datum(pixels[0])
    datum.height = 9
    with pytest.raises(ValueError, match="holds 60 values"):
        caffe.io.datum_to_array(datum)


def test_encoded_datums_are_decoded() -> None:
    pixels = RNG.integers(0, 255, (4, 5, 3), np.uint8)
    done, data = cv2.imencode(".png", pixels)
    assert done
    datum = caffe_pb2.Datum(data=data.tobytes(), encoded=True)
    np.testing.assert_array_equal(caffe.io.datum_to_array(datum), pixels.transpose(2, 0, 1))
    with pytest.raises(RoasteryError, match="cannot be decoded"):
        caffe.io.datum_to_array(caffe_pb2.Datum(data=b"nothing", encoded=True))


def test_caffe_pb2_is_what_protoc_makes() -> None:
    assert (caffe_pb2.TRAIN, caffe_pb2.TEST) == (caffe.TRAIN, caffe.TEST) == (0, 1)
    assert caffe_pb2.Phase.Name(1) == "TEST"
    assert caffe_pb2.PoolingParameter.PoolMethod.Name(caffe_pb2.PoolingParameter.AVE) == "AVE"
    assert caffe_pb2.V1LayerParameter.LayerType.Value("CONVOLUTION") == 4
    text = 'net: "a" test_iter: 3 solver_mode: GPU'
    solver = text_format.Parse(text, caffe_pb2.SolverParameter())
    assert solver.solver_mode == caffe_pb2.SolverParameter.GPU
    assert list(solver.test_iter) == [3]
    assert solver.momentum2 == np.float32(0.999)
    copy = caffe_pb2.SolverParameter()
    copy.ParseFromString(solver.SerializeToString())
    assert copy == solver


# --- pictures -----------------------------------------------------------------------------


def test_load_image_gives_rgb_in_unit_range(tmp_path: Path) -> None:
    bgr = RNG.integers(0, 256, (4, 5, 3), np.uint8)
    cv2.imwrite(str(tmp_path / "a.png"), bgr)
    image = caffe.io.load_image(str(tmp_path / "a.png"))
    assert image.dtype == np.float32
    np.testing.assert_allclose(image, bgr[:, :, ::-1] / 255, rtol=1e-6)
    gray = caffe.io.load_image(tmp_path / "a.png", color=False)
    weights = [0.0721, 0.7154, 0.2125]
    np.testing.assert_allclose(gray, (bgr / 255 @ weights)[..., None], rtol=1e-5)


def test_load_image_of_open_files() -> None:
    bgr = RNG.integers(0, 256, (4, 5, 3), np.uint8)
    file = io.BytesIO(cv2.imencode(".png", bgr)[1].tobytes())
    np.testing.assert_allclose(caffe.io.load_image(file), bgr[:, :, ::-1] / 255, rtol=1e-6)
    with pytest.raises(RoasteryError, match="an open file: it is empty"):
        caffe.io.load_image(file)
    with pytest.raises(RoasteryError, match="gave str, not bytes"):
        caffe.io.load_image(io.StringIO("x"))


def test_load_image_of_other_kinds(tmp_path: Path) -> None:
    one = RNG.integers(0, 256, (4, 5), np.uint8)
    cv2.imwrite(str(tmp_path / "gray.png"), one)
    np.testing.assert_array_equal(
        caffe.io.load_image(tmp_path / "gray.png"),
        np.repeat((one / np.float32(255))[..., None], 3, 2).astype(np.float32),
    )
    assert caffe.io.load_image(tmp_path / "gray.png", False).shape == (4, 5, 1)
    cv2.imwrite(str(tmp_path / "alpha.png"), RNG.integers(0, 256, (4, 5, 4), np.uint8))
    assert caffe.io.load_image(tmp_path / "alpha.png").shape == (4, 5, 3)
    deep = RNG.integers(0, 65536, (4, 5, 3), np.uint16)
    cv2.imwrite(str(tmp_path / "deep.png"), deep)
    np.testing.assert_allclose(
        caffe.io.load_image(tmp_path / "deep.png"), deep[:, :, ::-1] / 65535, rtol=1e-6
    )
    (tmp_path / "no.jpg").write_bytes(b"not a picture")
    with pytest.raises(RoasteryError, match="not a picture"):
        caffe.io.load_image(tmp_path / "no.jpg")
    with pytest.raises(RoasteryError, match="there is no picture"):
        caffe.io.load_image(tmp_path / "gone.jpg")


@pytest.mark.parametrize("shape", [(7, 9, 3), (7, 9, 1), (7, 9, 6)])
@pytest.mark.parametrize("size", [(3, 4), (14, 20), (7, 5)])
def test_resizing_is_opencvs_bilinear(shape, size) -> None:
    image = RNG.standard_normal(shape).astype(np.float32)
    expected = cv2.resize(image, size[::-1], interpolation=cv2.INTER_LINEAR)
    found = caffe.io.resize_image(image, size)
    np.testing.assert_allclose(found, expected.reshape(found.shape), atol=1e-5)


def test_resizing_keeps_constants_and_copies() -> None:
    image = np.full((3, 4, 3), 5, np.float32)
    assert (caffe.io.resize_image(image, (9, 2)) == 5).all()
    same = caffe.io.resize_image(image, (3, 4))
    assert not np.shares_memory(same, image)
    near = caffe.io.resize_image(np.arange(4.0).reshape(2, 2, 1), (4, 4), interp_order=0)
    np.testing.assert_array_equal(near[:, :, 0], np.kron([[0, 1], [2, 3]], np.ones((2, 2))))
    with pytest.raises(RoasteryError, match="interp_order"):
        caffe.io.resize_image(image, (2, 2), interp_order=3)
    with pytest.raises(RoasteryError, match="cannot resize"):
        caffe.io.resize_image(image, (0, 2))


def test_ten_crops() -> None:
    image = np.arange(35.0).reshape(5, 7, 1)
    crops = caffe.io.oversample([image, -image], (3, 4))
    assert crops.shape == (20, 3, 4, 1)
    places = [(0, 0), (0, 3), (2, 0), (2, 3), (1, 1)]
    for k, (y, x) in enumerate(places):
        np.testing.assert_array_equal(crops[k], image[y : y + 3, x : x + 4])
        np.testing.assert_array_equal(crops[5 + k], image[y : y + 3, x : x + 4][:, ::-1])
    np.testing.assert_array_equal(crops[10:], -crops[:10])
    with pytest.raises(RoasteryError, match="crops of 9 x 4"):
        caffe.io.oversample([image], (9, 4))


# --- Transformer --------------------------------------------------------------------------


def test_the_steps_of_preprocessing_in_their_order() -> None:
    image = RNG.random((4, 5, 3)).astype(np.float32)
    before = image.copy()
    transformer = caffe.io.Transformer({"data": (1, 3, 4, 5)})
    transformer.set_transpose("data", (2, 0, 1))
    transformer.set_channel_swap("data", (2, 1, 0))
    transformer.set_raw_scale("data", 255)
    transformer.set_mean("data", np.array([104, 117, 123]))
    transformer.set_input_scale("data", 0.5)
    found = transformer.preprocess("data", image)
    expected = image.transpose(2, 0, 1)[::-1] * 255
    expected = (expected - np.array([104, 117, 123])[:, None, None]) * 0.5
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)
    np.testing.assert_array_equal(image, before)
    np.testing.assert_allclose(transformer.deprocess("data", found), image, atol=1e-5)
    np.testing.assert_allclose(transformer.deprocess("data", found[None]), image, atol=1e-5)
    bigger = transformer.preprocess("data", np.repeat(np.repeat(image, 2, 0), 2, 1))
    assert bigger.shape == (3, 4, 5)


def test_means_of_every_form() -> None:
    transformer = caffe.io.Transformer({"data": (1, 3, 4, 5)})
    image = np.zeros((3, 4, 5), np.float32)
    for mean in (np.ones(3), np.ones((3, 4, 5)), np.ones((4, 5)), np.ones((3, 8, 10)),
                 np.ones((3, 1, 1))):  # fmt: skip
        transformer.set_mean("data", mean)
        assert np.broadcast_to(transformer.mean["data"], (3, 4, 5)).min() == 1
    with pytest.raises(RoasteryError, match="4 values, 'data' has 3 channels"):
        transformer.set_mean("data", np.ones(4))
    with pytest.raises(RoasteryError, match="mean has shape"):
        transformer.set_mean("data", np.ones((4, 8, 10)))
    del image


def test_the_transformer_refuses_what_does_not_fit() -> None:
    transformer = caffe.io.Transformer({"data": (1, 3, 4, 5)})
    with pytest.raises(RoasteryError, match="'dat' is not an input"):
        transformer.preprocess("dat", np.zeros((4, 5, 3)))
    with pytest.raises(RoasteryError, match="2 axes"):
        transformer.set_transpose("data", (1, 0))
    with pytest.raises(RoasteryError, match="4 channels"):
        transformer.set_channel_swap("data", (3, 2, 1, 0))


# --- Classifier and Detector --------------------------------------------------------------

SUMS = """
layer {{ name: "in" type: "Input" top: "data" input_param {{ shape {{ dim: 4 dim: 3 dim: {size} dim: {size} }} }} }}
layer {{ name: "pool" type: "Pooling" bottom: "data" top: "pool" pooling_param {{ pool: AVE global_pooling: true }} }}
layer {{ name: "ip" type: "InnerProduct" bottom: "pool" top: "ip" inner_product_param {{ num_output: 3 }} }}
"""  # noqa: E501


@pytest.fixture
def model(make_net, tmp_path: Path):
    """A net whose outputs are the means of its input's channels: (prototxt, weights)."""

    def make(size: int) -> tuple[str, str]:
        net = make_net(SUMS.format(size=size))
        net.params["ip"][0].data[...] = np.eye(3)
        path = str(tmp_path / "means.caffemodel")
        net.save(path)
        return str(tmp_path / "net1.prototxt"), path

    return make


def test_classifier(model) -> None:
    prototxt, weights = model(6)
    classifier = caffe.Classifier(
        prototxt, weights, image_dims=(8, 9), mean=np.array([1, 2, 3]), raw_scale=10,
        channel_swap=(2, 1, 0),
    )  # fmt: skip
    images = [RNG.random((8, 9, 3)).astype(np.float32) for _ in range(3)]
    centre = classifier.predict(images, oversample=False)
    for image, found in zip(images, centre, strict=True):
        expected = image[1:7, 1:7].mean((0, 1))[::-1] * 10 - [1, 2, 3]
        np.testing.assert_allclose(found, expected, rtol=1e-4)
    many = classifier.predict(images)
    assert many.shape == (3, 3)
    corners = [images[0][y : y + 6, x : x + 6] for y in (0, 2) for x in (0, 3)]
    corners.append(images[0][1:7, 1:7])
    expected = np.mean([c.mean((0, 1)) for c in corners], 0)[::-1] * 10 - [1, 2, 3]
    np.testing.assert_allclose(many[0], expected, rtol=1e-4)


def test_detector(model, tmp_path: Path) -> None:
    prototxt, weights = model(8)
    bgr = RNG.integers(0, 256, (20, 24, 3), np.uint8)
    cv2.imwrite(str(tmp_path / "a.png"), bgr)
    rgb = bgr[:, :, ::-1] / 255
    detector = caffe.Detector(prototxt, weights, raw_scale=255, channel_swap=(2, 1, 0))
    windows = [np.array([2, 3, 10, 11]), (0, 0, 20, 24), [5, 6, 13, 14]]
    found = detector.detect_windows([(str(tmp_path / "a.png"), windows)])
    assert [d["filename"] for d in found] == [str(tmp_path / "a.png")] * 3
    np.testing.assert_array_equal(found[2]["window"], windows[2])
    np.testing.assert_allclose(
        found[0]["prediction"], rgb[2:10, 3:11].mean((0, 1))[::-1] * 255, rtol=1e-4
    )
    assert detector.detect_windows([]) == []
    with pytest.raises(RoasteryError, match="not inside a picture of 20 x 24"):
        detector.detect_windows([(str(tmp_path / "a.png"), [(0, 0, 21, 24)])])


def test_context_shows_the_surroundings_and_the_mean_beyond_the_picture(model) -> None:
    prototxt, weights = model(8)
    mean = np.array([10.0, 20.0, 30.0])
    detector = caffe.Detector(
        prototxt, weights, mean=mean, raw_scale=255, channel_swap=(2, 1, 0), context_pad=2
    )
    image = np.zeros((40, 40, 3), np.float32)
    image[18:22, 18:22] = 1
    inner = detector.crop(image, np.array([18, 18, 22, 22]))
    assert inner.shape == (8, 8, 3)
    assert inner[3:5, 3:5].min() > 0.7, "the window itself is in the middle"
    assert inner[0].max() < 0.6, "its surroundings at the border"
    corner = detector.crop(np.ones((40, 40, 3), np.float32), np.array([0, 0, 4, 4]))
    np.testing.assert_allclose(corner[0, 0], mean[::-1] / 255, rtol=1e-5)
    np.testing.assert_allclose(corner[-1, -1], 1, rtol=1e-5)
    with pytest.raises(RoasteryError, match="leaves nothing"):
        detector.configure_crop(4)


def test_selective_search_says_what_it_needs(model) -> None:
    detector = caffe.Detector(*model(8))
    with pytest.raises(RoasteryError, match="selective_search_ijcv_with_python"):
        detector.detect_selective_search(["a.jpg"])
