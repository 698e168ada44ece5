"""The page of ``roastery view``, as Chromium shows it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

import roastery.caffe as caffe
from benchmarks.zoo.resnet50 import resnet
from examples.googlenet.make_net import googlenet
from tests.support.browser import Looked, look_at
from tests.support.sample_nets import inception, inputs, lenet

NONE = "--targets=none"

LOG = "".join(
    f"I0210 13:39:2{i}.381027 25210 solver.cpp:239] Iteration {i}, loss = {2 / (i + 1)}\n"
    f"I0210 13:39:2{i}.381027 25210 sgd_solver.cpp:102] Iteration {i}, lr = {0.1 / (i + 1)}\n"
    for i in range(5)
)


@pytest.fixture
def look(browser: Any, made_page: Any) -> Any:
    """Opens the page of a net; at its end nothing may have been said, and nobody been asked."""
    opened: list[Looked] = []

    def opening(text: str, *flags: str, **options: Any) -> Any:
        looked = look_at(browser, made_page(text, *flags).as_uri(), **options)
        opened.append(looked)
        return looked.page

    yield opening
    for looked in opened:
        assert looked.said == []
        assert [url for url in looked.asked if not url.startswith(("file:", "blob:"))] == []
        looked.page.close()


def boxes(page: Any) -> int:
    return page.locator("#world .node").count()


def names(page: Any) -> list[str]:
    return page.locator("#world .node text.name").all_text_contents()


def choose(page: Any, name: str) -> None:
    page.fill("#search", name)
    page.press("#search", "Enter")


def test_it_draws_branches_that_do_not_touch(look: Any) -> None:
    page = look(googlenet(1), NONE)
    assert boxes(page) == 86
    assert "inception_4a/3x3" in names(page)
    rects = page.evaluate(
        "() => [...places.values()].map((p) => [p.x - p.width / 2, p.y - p.height / 2,"
        " p.x + p.width / 2, p.y + p.height / 2])"
    )
    for i, a in enumerate(rects):
        for b in rects[:i]:
            assert a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]
    # Four ways lead into an inception module, side by side.
    ways = page.evaluate(
        "() => shown.edges.filter((e) => e.from === shownAs(nodeOfLayer[LAYERS.findIndex("
        '(l) => l.name === "pool2/3x3_s2")])).map((e) => places.get(e.to).x)'
    )
    assert len(ways) == 4 and len(set(map(round, ways))) == 4


def test_search_finds_and_marks(look: Any) -> None:
    page = look(googlenet(1), NONE)
    page.press("body", "/")
    page.keyboard.type("inception_4a/3x3")
    assert page.locator("#found li").first.text_content() == "inception_4a/3x3Convolution"
    assert page.locator(".node.found").count() == 3, "the Concat reads it"
    page.keyboard.press("Enter")
    assert page.locator("#content h2").text_content() == "inception_4a/3x3 Convolution"
    assert page.locator(".node.chosen").count() == 1
    box = page.locator(".node.chosen").bounding_box()
    assert 0 < box["x"] < 800 and 50 < box["y"] < 860
    page.fill("#search", "no such layer")
    assert page.locator("#found li").text_content() == "nothing found"


def test_a_layer_is_told_with_numbers_and_prototxt(look: Any) -> None:
    page = look(googlenet(1), NONE)
    choose(page, "inception_4a/3x3")
    text = page.locator("#content").inner_text()
    for told in ("179,920", "1×208×14×14", "139x139", "inception_4a/relu_3x3"):
        assert told in text
    prototxt = page.locator("#prototxt").text_content()
    assert (
        prototxt.startswith('layer {\n  name: "inception_4a/3x3"') and "kernel_size: 3" in prototxt
    )


def test_blocks_close_and_open(look: Any) -> None:
    page = look(googlenet(1), NONE)
    page.press("body", "c")
    closed = names(page)
    assert "inception_3a" in closed and "inception_3a/1x1" not in closed
    page.locator(".node.block", has_text="inception_3a").focus()
    page.keyboard.press("Enter")
    assert "inception_3a/1x1" in names(page)
    canvas = page.locator("#canvas").bounding_box()
    frame = page.locator(".around", has_text="inception_3a").bounding_box()
    assert canvas["y"] <= frame["y"] and frame["y"] + frame["height"] < 860
    page.press("body", "0")
    page.locator(".around text", has_text="inception_3a").click()
    assert names(page) == closed
    choose(page, "inception_4b/5x5")
    assert "inception_4b/5x5" in names(page), "what is searched is opened"
    page.press("body", "Escape")
    page.locator("#open-all").click()
    assert boxes(page) == 86


def test_resnet_152_is_quick_and_folded(look: Any) -> None:
    began = time.perf_counter()
    page = look(resnet("ResNet-152", (3, 8, 36, 3), 1, True), NONE)
    took = time.perf_counter() - began
    assert took < 30, "on a machine with other work; alone it is a second"
    assert boxes(page) < 40
    assert any("×34" in name or "×35" in name for name in names(page)), names(page)
    drawn = page.evaluate(
        "() => { openAll(); const t = performance.now(); draw(); return performance.now() - t; }"
    )
    assert boxes(page) > 200 and drawn < 20_000
    choose(page, "res4b20_branch2b")
    assert "res4b20_branch2b" in page.locator("#content h2").text_content()


def test_keys_alone_suffice(look: Any) -> None:
    page = look(lenet(2), NONE)
    page.locator("#drawing").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    assert page.locator("#content h2").text_content() == "conv1 Convolution"
    before = page.evaluate("() => view.scale")
    page.keyboard.press("+")
    assert page.evaluate("() => view.scale") > before
    page.keyboard.press("2")
    assert page.locator("#table tbody tr").count() == 10
    page.keyboard.press("?")
    assert page.locator("#keys").is_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("t")
    assert page.evaluate("() => direction") == "LR"


def test_wheel_and_drag_move_the_net(look: Any) -> None:
    page = look(lenet(2), NONE)
    page.mouse.move(200, 400)
    before = page.evaluate("() => ({...view})")
    page.mouse.wheel(0, -300)
    page.wait_for_function("(scale) => view.scale > scale", arg=before["scale"])
    middle = page.evaluate("() => ({...view})")
    page.mouse.down()
    page.mouse.move(260, 430, steps=4)
    page.mouse.up()
    after = page.evaluate("() => ({...view})")
    assert after["x"] > middle["x"] and after["y"] > middle["y"]
    canvas = page.locator("#canvas").bounding_box()
    right = canvas["x"] + canvas["width"]
    page.mouse.move(right - 2, 430)
    page.mouse.down()
    page.mouse.move(right + 200, 430)
    page.mouse.up()
    page.mouse.move(200, 300, steps=3)
    assert page.evaluate("() => ({...view})") == after, "let go beside the drawing"
    page.mouse.down(button="right")
    page.mouse.move(260, 330, steps=3)
    page.mouse.up(button="right")
    assert page.evaluate("() => ({...view})") == after


def test_the_table_sorts(look: Any) -> None:
    page = look(lenet(2), NONE)
    page.click("#tab-table")
    page.get_by_role("button", name="Parameters").click()
    first = page.locator("#table tbody tr").first
    assert first.locator("td").first.text_content() == "ip1"
    assert page.evaluate("() => document.activeElement.textContent") == "Parameters"
    page.get_by_role("button", name="Field").click()
    fields = page.locator("#table tbody td:last-child").all_text_contents()
    known = [field for field in fields if "x" in field]
    assert fields[0] == "whole" and fields[-1] == ""
    assert known == sorted(known, key=lambda field: -int(field.split("x")[0]))
    assert "16x16" in known and "5x5" in known
    page.get_by_role("button", name="Parameters").click()
    first.click()
    assert page.locator("#content h2").text_content() == "ip1 InnerProduct"


def test_the_compilers_side(look: Any) -> None:
    page = look(inception(2))
    choose(page, "stem")
    page.click("#tab-compiler")
    page.wait_for_selector("#ir pre")
    page.get_by_role("button", name="fuse", exact=True).click()
    page.wait_for_selector("#ir pre .added")
    headings = page.locator("#ir h3").all_text_contents()
    assert headings == ["Before fuse", "After fuse"]
    assert "conv(" in page.locator("#ir pre").first.text_content()
    assert "fused" in page.locator("#ir pre").last.text_content()
    page.wait_for_function("() => document.querySelector('.kernel').textContent.length > 40")
    assert page.locator(".kernel").first.text_content().startswith("void ")
    page.get_by_role("button", name="GPU (Triton)").click()
    page.wait_for_function(
        "() => document.querySelector('.kernel').textContent.includes('@triton.jit')"
    )
    page.click("#tab-memory")
    assert page.locator("#memory rect.own").count() > 0
    assert "Steps of this layer" in page.locator("#content").inner_text()


def test_training_has_backward_kernels(look: Any) -> None:
    page = look(lenet(2), "--phase=TRAIN", "--targets=cpu")
    choose(page, "ip1")
    page.click("#tab-compiler")
    assert page.locator("details summary", has_text="(backward)").count() > 0


def test_weights_and_curves(look: Any, tmp_path: Path) -> None:
    (tmp_path / "net.prototxt").write_text(inception(2))
    caffe.Net(str(tmp_path / "net.prototxt"), caffe.TEST).save(str(tmp_path / "w.caffemodel"))
    (tmp_path / "train.log").write_text(LOG)
    page = look(
        inception(2), NONE, f"--weights={tmp_path / 'w.caffemodel'}",
        f"--log={tmp_path / 'train.log'}",
    )  # fmt: skip
    choose(page, "stem")
    page.click("#tab-weights")
    assert page.locator("svg.histogram").count() == 2
    assert page.locator(".filters canvas").count() == 16
    pixel = page.evaluate(
        "() => [...document.querySelector('.filters canvas').getContext('2d')"
        ".getImageData(0, 0, 3, 3).data]"
    )
    assert len(set(pixel)) > 3
    page.click("#tab-curves")
    assert page.locator("svg.curve path").count() >= 2
    assert "loss" in page.locator("#content").inner_text()


def log_lines(*points: tuple[int, float]) -> str:
    return "".join(
        f"I0210 13:39:22.381027 25210 solver.cpp:239] Iteration {at}, loss = {loss}\n"
        for at, loss in points
    )


@pytest.fixture
def curves(look: Any, tmp_path: Path) -> Any:
    """The page's curves of a log."""

    def looking(log: str) -> Any:
        path = tmp_path / f"{abs(hash(log))}.log"
        path.write_text(log)
        page = look(inputs(x=(1,)), NONE, f"--log={path}")
        page.set_default_timeout(15_000)
        page.click("#tab-curves")
        return page

    return looking


@pytest.mark.parametrize("loss", [3.40282e38, 1e17, -1e307, 0.0, 0.01])
def test_a_constant_curve_is_drawn(curves: Any, loss: float) -> None:
    """Of large numbers a half is less than what sets two of them apart."""
    page = curves(log_lines((0, loss), (10, loss)))
    for _ in range(2):
        labels = page.locator("svg.curve text[text-anchor=end]").all_text_contents()
        assert 2 <= len(labels) < 12 and len(set(labels)) == len(labels), labels
        assert "NaN" not in page.locator("svg.curve path").get_attribute("d")
        page.get_by_role("button", name="Logarithmic").click()


def test_a_point_alone_is_seen(curves: Any) -> None:
    assert curves(log_lines((40, 2.0))).locator("svg.curve circle").count() == 1
    gaps = curves(log_lines((0, 2.0), (1, float("nan")), (2, 1.0), (3, 1.0)))
    assert gaps.locator("svg.curve circle").count() == 1
    none = curves(log_lines((0, float("nan")), (1, float("nan"))))
    assert "None of its numbers is finite." in none.locator("#content").inner_text()


def test_all_runs_of_a_log_lie_inside_of_the_chart(curves: Any) -> None:
    page = curves(log_lines((0, 3.0), (100, 2.0), (200, 1.0), (0, 3.0), (50, 2.5)))
    box = page.evaluate(
        "() => { const b = document.querySelector('svg.curve path').getBBox();"
        " return [b.x, b.x + b.width]; }"
    )
    assert box[0] > 50 and box[1] <= 600


def test_many_powers_of_ten_have_few_lines(curves: Any) -> None:
    page = curves(log_lines((0, 1e-300), (10, 1e300)))
    page.get_by_role("button", name="Logarithmic").click()
    assert 2 <= page.locator("svg.curve .axis").count() < 12


def test_a_resumed_training_fills_the_chart(curves: Any) -> None:
    page = curves(log_lines(*((100_000 + i, 2.0 - i / 100) for i in range(100))))
    width = page.evaluate("() => document.querySelector('svg.curve path').getBBox().width")
    assert width > 400


HOSTILE = [
    "</script><script>window.hacked = 1</script>",
    "<img src=x onerror='window.hacked = 1'>",
    "--><!-- <script>",
    "__proto__",
    "constructor",
    "{{DATA}}",
    "\u2028\u2029 \u202e' \\\" ${window.hacked = 1}",
    "javascript:window.hacked=1",
]


def test_hostile_names_run_nothing(look: Any) -> None:
    quoted = [name.replace("\\", "\\\\").replace('"', '\\"') for name in HOSTILE]
    text = f'name: "{quoted[0]}"\n'
    text += 'layer { name: "in" type: "Input" top: "x" input_param { shape { dim: 2 dim: 3 } } }\n'
    below = "x"
    for name in quoted:
        text += (
            f'layer {{ name: "{name}" type: "InnerProduct" bottom: "{below}" top: "{name}" '
            "inner_product_param { num_output: 3 } }\n"
        )
        below = name
    page = look(text, "--targets=cpu")
    assert page.evaluate("() => window.hacked") is None
    assert len(page.evaluate("() => LAYERS")) == len(HOSTILE) + 1
    for number in range(1, len(HOSTILE) + 1):
        page.evaluate("(n) => chooseLayer(n)", number)
        for tab in ("layer", "table", "compiler", "memory"):
            page.click(f"#tab-{tab}")
    choose(page, "script")
    page.wait_for_timeout(200)
    assert page.evaluate("() => window.hacked") is None
    assert page.evaluate("() => document.querySelectorAll('script[src], img').length") == 0


def test_odd_nets_are_drawn(look: Any) -> None:
    """Layers without names, of one name, without tops; tops that are scalars; a lone layer."""
    text = inputs(x=(2, 3)) + 'layer { type: "ReLU" bottom: "x" top: "y" }\n'
    text += 'layer { type: "Power" bottom: "y" top: "z" }\n'
    text += 'layer { name: "same" type: "Reduction" bottom: "z" top: "s" }\n'
    text += 'layer { name: "same" type: "Silence" bottom: "s" }\n'
    page = look(text, "--targets=cpu")
    assert boxes(page) == 5 and names(page).count("(no name)") == 2
    for number in range(5):
        page.evaluate("(n) => chooseLayer(n)", number)
        for tab in ("layer", "table", "compiler", "memory", "weights"):
            page.click(f"#tab-{tab}")
    page.wait_for_timeout(100)
    assert boxes(look(inputs(x=(1,)), NONE)) == 1
    split = 'layer { name: "s" type: "Split" bottom: "x" top: "a" top: "b" }\n'
    split += 'layer { name: "sum" type: "Eltwise" bottom: "a" bottom: "b" top: "y" }\n'
    assert names(look(inputs(x=(2, 3)) + split, "--targets=cpu")) == ["in_x", "s", "sum"]


def test_names_without_end_leave_room_for_the_rest(look: Any) -> None:
    long = "inception_" + "very_long_name_" * 2000
    text = inputs(x=(2, 3)) + "".join(
        f'layer {{ name: "{long}{i}" type: "ReLU" bottom: "x" top: "{long}{i}" }}\n' for i in (1, 2)
    )
    page = look(text, "--targets=cpu")
    choose(page, "very")
    assert page.locator("#prototxt").bounding_box()["y"] < 860
    for tab in ("layer", "table", "compiler", "memory"):
        page.click(f"#tab-{tab}")
        sizes = page.evaluate("() => [byId('content').scrollWidth, byId('content').clientWidth]")
        assert sizes[0] <= sizes[1], tab
    page.click("#tab-table")
    assert page.locator("#table tbody tr").last.bounding_box()["y"] < 860
    page.fill("#search", "very")
    assert page.locator("#found").bounding_box()["height"] < 300


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_both_colour_schemes(look: Any, scheme: str) -> None:
    page = look(lenet(2), NONE, color_scheme=scheme)
    sums = page.evaluate(
        "() => ['backgroundColor', 'color'].map((what) => getComputedStyle(document.body)[what]"
        ".match(/\\d+/g).slice(0, 3).reduce((a, b) => a + Number(b), 0))"
    )
    assert (sums[0] < sums[1]) == (scheme == "dark")
    page.keyboard.press("d")
    assert page.evaluate("() => document.documentElement.dataset.theme") != scheme


def test_an_address_names_a_layer(browser: Any, made_page: Any) -> None:
    looked = look_at(browser, made_page(lenet(2), NONE).as_uri() + "#ip1")
    assert looked.page.locator("#content h2").text_content() == "ip1 InnerProduct"
    looked.page.goto(made_page(lenet(2), NONE).as_uri() + "#conv1")
    looked.page.wait_for_function(
        "() => document.querySelector('#content h2').textContent === 'conv1 Convolution'"
    )
    looked.page.goto(made_page(lenet(2), NONE).as_uri() + "#%zz")
    assert looked.said == []


def test_who_presses_a_button_by_a_key_goes_on_from_it(look: Any) -> None:
    page = look(inception(2))
    choose(page, "stem")
    page.click("#tab-compiler")
    page.get_by_role("button", name="lowered", exact=True).focus()
    page.keyboard.press("Enter")
    assert page.evaluate("() => document.activeElement.textContent") == "lowered"
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.evaluate("() => document.activeElement.textContent") == "before passes"


def test_another_layer_is_told_from_its_beginning(look: Any) -> None:
    page = look(lenet(2), NONE, viewport={"width": 1000, "height": 300})
    choose(page, "conv1")
    page.evaluate("() => { document.getElementById('content').scrollTop = 200; }")
    assert page.evaluate("() => document.getElementById('content').scrollTop") > 0
    choose(page, "conv2")
    assert page.evaluate("() => document.getElementById('content').scrollTop") == 0


def test_all_of_the_net_is_shown_and_printed(look: Any) -> None:
    page = look(googlenet(1), NONE)
    page.keyboard.press("0")
    last = page.locator(".node").last.bounding_box()
    assert last["y"] + last["height"] <= page.locator("#legend").bounding_box()["y"]
    choose(page, "inception_4b/5x5")
    before = page.locator("#world").get_attribute("transform")
    page.keyboard.press("d")
    page.emulate_media(media="print")
    page.evaluate("() => dispatchEvent(new Event('beforeprint'))")
    colour = page.evaluate("() => getComputedStyle(document.body).color")
    assert colour == "rgb(31, 35, 40)", "paper is white"
    for box in (
        page.locator(".node").first.bounding_box(),
        page.locator(".node").last.bounding_box(),
    ):
        assert box["y"] >= 0 and box["y"] + box["height"] <= 860
    page.emulate_media(media="screen")
    page.evaluate("() => dispatchEvent(new Event('afterprint'))")
    assert page.locator("#world").get_attribute("transform") == before
    assert page.locator("#drawing").get_attribute("viewBox") is None


def test_a_box_that_was_found_is_seen_whole(look: Any) -> None:
    page = look(googlenet(1), NONE, viewport={"width": 900, "height": 600})
    canvas = page.locator("#canvas").bounding_box()
    for name in ("inception_4a/1x1", "inception_4a/pool_proj", "inception_5b/3x3", "data"):
        choose(page, name)
        box = page.locator(".node.chosen rect.box").bounding_box()
        assert canvas["x"] <= box["x"] and canvas["y"] <= box["y"]
        assert box["x"] + box["width"] <= canvas["x"] + canvas["width"]
        assert box["y"] + box["height"] <= canvas["y"] + canvas["height"]


def test_zooming_out_of_all_of_a_long_net_zooms_not_in(look: Any) -> None:
    wide = inputs(x=(1, 4)) + "".join(
        f'layer {{ name: "layer{i}" type: "ReLU" bottom: "x" top: "t{i}" }}\n' for i in range(500)
    )
    page = look(wide, NONE)
    page.keyboard.press("e")
    page.keyboard.press("0")
    scale = page.evaluate("() => view.scale")
    assert scale < 0.02
    page.keyboard.press("-")
    assert page.evaluate("() => view.scale") == scale
    page.keyboard.press("+")
    assert page.evaluate("() => view.scale") == pytest.approx(1.25 * scale)


def test_a_chain_too_long_for_the_layout_library_is_drawn(look: Any) -> None:
    layer = (
        'layer {{ name: "c{0}" type: "Convolution" bottom: "d{0}" top: "d{1}"'
        " convolution_param {{ num_output: 1 kernel_size: 1 }} }}"
    )
    first = (
        'layer { name: "in" type: "Input" top: "d0" input_param { shape { dim: [1, 1, 4, 4] } } }'
    )
    lines = [layer.format(i, i + 1) for i in range(3000)]
    page = look("\n".join([first, *lines]), NONE)
    page.keyboard.press("e")
    assert boxes(page) == 3001
    tops = page.evaluate("() => [...places.values()].map((p) => p.y - p.height / 2)")
    assert tops == sorted(set(tops)), "one below the other"
