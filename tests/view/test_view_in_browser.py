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


def test_the_table_sorts(look: Any) -> None:
    page = look(lenet(2), NONE)
    page.click("#tab-table")
    page.get_by_role("button", name="Parameters").click()
    first = page.locator("#table tbody tr").first
    assert first.locator("td").first.text_content() == "ip1"
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
    assert looked.said == []


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
