"""The panel in a real browser: what a person does with it, and what it then shows."""

from __future__ import annotations

import json
import re
import threading
from pathlib import Path
from typing import Final

from playwright.sync_api import expect
from support.gateway import Asked, Gateway, Hang, Parts, Said
from support.made import long_history
from support.pictures import answer, complaint, picture

from browser.pages import NARROW, USUAL, WIDE, Notebook, Opened, OpenedInVoila, Theme, shoot
from browser.panels import PANEL, Shown, completed, painted
from browser.pixels import wait_until_shown

GREY, RED, BLUE = picture("grey"), picture("red", (640, 480)), picture("blue", (480, 640))
THEMES: Final[tuple[Theme, ...]] = ("light", "dark")
SCENES: Final = (
    ("a mountain lake at dawn", "1536x1024"),
    ("a lighthouse in the fog", "1024x1536"),
    ("a forest in autumn", "1024x1024"),
    ("a red boat on a green sea", "1536x1024"),
    ("dunes under the moon", "1024x1024"),
    ("a city in the rain", "1024x1536"),
    ("an island with one tree", "1536x1024"),
    ("a heron in the reeds", "1024x1024"),
)
COLOURS: Final = (
    "red",
    "green",
    "blue",
    "yellow",
    "purple",
    "orange",
    "teal",
    "black",
    "white",
    "pink",
    "brown",
    "navy",
)


def opened(notebook: Notebook) -> Shown:
    """The panel of a notebook that has been run."""
    notebook.run_all()
    notebook.wait_for_widgets()
    return Shown(notebook.area.first)


def until(file: Path) -> str:
    """A cell that runs until there is this file."""
    return f"import pathlib, time\nwhile not pathlib.Path({str(file)!r}).exists(): time.sleep(0.02)"


def painter(asked: Asked) -> Said:
    """Answer with a picture of the colour that the prompt ends with."""
    return Said(answer(picture(asked.json["prompt"].split()[-1], (320, 200))))


def test_a_picture_is_generated_while_the_kernel_goes_on(in_lab: Opened, gateway: Gateway, preamble: str) -> None:
    """Fill, generate, see what is painted so far and then the picture, and run another cell meanwhile."""
    go_on = threading.Event()
    gateway.rule = lambda _: Parts((painted(GREY), go_on, completed(RED)))
    lab = in_lab(preamble, PANEL)
    panel = opened(lab)

    panel.button("More").click()
    panel.field("Partial images").fill("1")
    panel.ask("an otter")

    wait_until_shown(panel.jobs.locator("img"), GREY)
    expect(panel.jobs).to_contain_text(re.compile(r"any at custom · \d+ s · an otter"))
    assert lab.run("print(6 * 7)") == "42\n"
    go_on.set()
    wait_until_shown(panel.jobs.locator("img"), RED)
    expect(panel.jobs).to_contain_text("640×480 png")
    wait_until_shown(panel.tiles.first.locator("img"), RED)
    assert [asked.json["prompt"] for asked in gateway.posts] == ["an otter"]
    assert lab.run("print(*ig.history().status)") == "ok\n"


def test_each_job_is_cancelled_by_itself(in_lab: Opened, gateway: Gateway, preamble: str) -> None:
    """The connection of that one is closed at once, and its record says so; the other comes to its end."""
    hold = threading.Event()
    gateway.rule = lambda asked: Hang() if "one" in asked.json["prompt"] else Parts((hold, answer(BLUE)))
    lab = in_lab(preamble, PANEL)
    panel = opened(lab)
    panel.ask("the first one")
    gateway.wait_for_request()
    panel.ask("the other")
    gateway.wait_for_request()
    expect(panel.jobs).to_have_count(2)

    panel.jobs.nth(1).get_by_role("button", name="Cancel").click()

    assert gateway.hung_up.wait(30)
    expect(panel.jobs.nth(1)).to_contain_text("cancelled")
    expect(panel.jobs.nth(1)).to_contain_text("Cancelled after the request had left. It may have been charged.")
    hold.set()
    wait_until_shown(panel.jobs.nth(0).locator("img"), BLUE)
    assert lab.run("print(*sorted(ig.history().status))") == "cancelled ok\n"


def test_a_press_that_waits_for_the_kernel_counts_once_and_asks_for_what_the_page_shows(
    in_lab: Opened, gateway: Gateway, preamble: str, tmp_path: Path
) -> None:
    """A busy kernel takes the click later, whoever presses again meanwhile, and with the last edit of the prompt."""
    gateway.rule = painter
    lab = in_lab(preamble, PANEL)
    lab.without_subshells()
    panel = opened(lab)
    busy = lab.start(lab.append(until(tmp_path / "go")))
    queued = lab.start(lab.append("print('between')"))

    # The page sends the first of these edits, and holds the others back until the kernel has answered it.
    for prompt in ("in red", "in green", "in blue"):
        panel.type("Prompt", prompt)
    for _ in range(3):
        panel.button("Generate").click()
    assert gateway.posts == []
    (tmp_path / "go").touch()
    lab.finish(busy)
    lab.finish(queued)

    wait_until_shown(panel.jobs.first.locator("img"), picture("blue"))
    expect(panel.jobs).to_have_count(1)
    assert [asked.json["prompt"] for asked in gateway.posts] == ["in blue"]
    panel.button("Generate").click()
    expect(panel.jobs).to_have_count(2)
    expect(panel.jobs.first).to_contain_text("done")
    assert len(gateway.posts) == 2


def test_a_double_click_counts_once(in_lab: Opened, gateway: Gateway, preamble: str) -> None:
    """A kernel that is free is faster than the second click, and the button rests until that is over."""
    gateway.rule = painter
    panel = opened(in_lab(preamble, PANEL))
    panel.type("Prompt", "in red")

    panel.button("Generate").dblclick(delay=80)
    panel.button("Generate").click()

    expect(panel.jobs).to_have_count(2)
    wait_until_shown(panel.jobs.first.locator("img"), picture("red"))
    assert len(gateway.posts) == 2


def test_prices_are_no_formula(in_lab: Opened, gateway: Gateway, preamble: str) -> None:
    """Between the dollars of two captions a page would see one, below a cell as in the panel."""
    priced = {"x-litellm-response-cost": "0.5"}
    gateway.rule = lambda _: Said(answer(RED, BLUE), headers=priced)
    lab = in_lab(preamble, "r = ig.generate('two', n=2)\nr", PANEL)
    panel = opened(lab)
    panel.ask("an otter")
    expect(panel.jobs).to_contain_text("$0.2500")

    lab.page.wait_for_function("!document.querySelector('.MathJax_Preview')")
    assert lab.page.locator("mjx-container").count() == 0
    expect(lab.cell(1)).to_contain_text("$0.2500 · imagegen")


def test_with_subshells_the_panel_works_while_a_cell_runs(
    in_lab: Opened, gateway: Gateway, preamble: str, tmp_path: Path
) -> None:
    """What is typed and pressed is heard at once; what costs money can be stopped at once."""
    gateway.rule = lambda asked: Hang() if "slow" in asked.json["prompt"] else painter(asked)
    lab = in_lab(preamble, PANEL)
    panel = opened(lab)
    busy = lab.start(lab.append(until(tmp_path / "go")))
    lab.page.wait_for_function("!front.isIdle()")

    for prompt in ("in red", "in green", "in blue"):
        panel.type("Prompt", prompt)
    panel.button("Generate").click()
    wait_until_shown(panel.jobs.first.locator("img"), picture("blue"))
    panel.ask("a slow one")
    gateway.wait_for_request()
    gateway.wait_for_request()
    panel.jobs.first.get_by_role("button", name="Cancel").click()

    assert gateway.hung_up.wait(30)
    expect(panel.jobs.first).to_contain_text("cancelled")
    assert not lab.page.evaluate("front.isIdle()")
    (tmp_path / "go").touch()
    lab.finish(busy)
    assert [asked.json["prompt"] for asked in gateway.posts] == ["in blue", "a slow one"]


def test_an_error_stands_in_the_panel_as_it_would_in_a_cell(in_lab: Opened, gateway: Gateway, preamble: str) -> None:
    """Text that came from a server is shown as text: no element, no formula, no link comes of it."""
    hostile = "<img src=x onerror=\"document.title='hit'\"> $\\href{javascript:document.title='hit'}{x}$ <b>no</b>"
    gateway.rule = lambda _: Said(complaint(hostile, code="bad"), 400, {"x-request-id": "<i>req</i>"})
    lab = in_lab(preamble, PANEL)
    panel = opened(lab)

    panel.ask("an <u>otter</u>")

    expect(panel.jobs).to_contain_text(hostile)
    expect(panel.jobs).to_contain_text("Request id: <i>req</i>")
    expect(panel.jobs).to_contain_text("an <u>otter</u>")
    panel.field("Status").select_option("failed")
    panel.tiles.first.get_by_role("button").click()
    expect(panel.view).to_contain_text(hostile)
    assert panel.area.locator("b, i:not(.fa), u, mjx-container, a, script").count() == 0
    assert panel.area.locator("img").count() == 0
    assert lab.page.title() != "hit"


def test_the_gallery_is_narrowed_and_a_picture_leads_back_to_its_cell(
    in_lab: Opened, gateway: Gateway, preamble: str
) -> None:
    """Search, open, rate, and run the cell that repeats it: the same body is sent."""
    gateway.rule = painter
    asks = "\n".join(f"ig.generate('number {n}, in {c}', size='320x200', seed={n})" for n, c in enumerate(COLOURS[:5]))
    lab = in_lab(preamble, asks, PANEL)
    panel = opened(lab)
    expect(panel.found).to_have_text("5 found · page 1 of 1")

    panel.field("Search").fill("yellow")
    expect(panel.tiles).to_have_count(1)
    wait_until_shown(panel.tiles.locator("img"), picture("yellow"))
    panel.tiles.get_by_role("button").click()
    wait_until_shown(panel.view.locator("img:visible").first, picture("yellow"))
    expect(panel.view).to_contain_text("prompt: number 3, in yellow")
    panel.view.get_by_label("Stars").select_option("★★★★")
    expect(panel.tiles.get_by_role("button")).to_contain_text("★★★★")
    panel.view.get_by_role("button", name="As cell").click()
    cell = panel.view.get_by_label(re.compile("^The cell that repeats"))
    expect(cell).to_have_value(re.compile(r"^%%imagegen .*--seed 3"))
    lab.run(cell.input_value())

    assert gateway.posts[-1].body == gateway.posts[3].body
    assert lab.run("print(ig.history().rating.dropna().tolist())") == "[4]\n"


def test_settings_of_a_picture_fill_the_form_and_a_picture_is_worked_on(
    in_lab: Opened, gateway: Gateway, preamble: str
) -> None:
    """Back into the form, and on from there with the picture itself."""
    gateway.rule = lambda asked: Said(answer(RED)) if asked.path.endswith("edits") else painter(asked)
    lab = in_lab(preamble, "ig.generate('a boat in green', size='320x200', quality='high', tags=['study, one'])", PANEL)
    panel = opened(lab)
    panel.tiles.first.get_by_role("button").click()
    panel.view.get_by_role("button", name="Use these settings").click()
    expect(panel.field("Prompt")).to_have_value("a boat in green")
    expect(panel.field("Size")).to_have_value("320x200")
    expect(panel.field("Quality")).to_have_value("high")
    panel.view.get_by_role("button", name="Edit this picture").click()
    expect(panel.area.get_by_text(re.compile(r"^\d{8}T\d{12}Z-[0-9a-f]{8}\[0\]$")).last).to_be_visible()

    panel.ask("the same boat, red")

    wait_until_shown(panel.jobs.locator("img"), RED)
    edit = gateway.posts[-1]
    assert edit.path.endswith("/images/edits")
    assert picture("green", (320, 200)) in edit.body


def test_two_pictures_are_compared_and_one_is_saved(
    in_lab: Opened, gateway: Gateway, preamble: str, tmp_path: Path
) -> None:
    """Side by side, with a sentence on how far they are apart; the file has the exact bytes."""
    gateway.rule = painter
    asks = "ig.generate('a boat in green', size='320x200'); last = ig.generate('a boat in red', size='320x200')"
    lab = in_lab(preamble, asks, "%imagegen_panel {last.record.id}")
    panel = opened(lab)
    expect(panel.field("Prompt")).to_have_value("a boat in red")

    panel.tiles.nth(0).get_by_role("button").click()
    panel.view.get_by_role("button", name="Compare …").click()
    expect(panel.view.get_by_role("button", name="Now open the other (or press again)")).to_be_visible()
    panel.view.get_by_role("button", name="Next").click()

    expect(panel.view).to_contain_text("prompt: a boat in green")
    expect(panel.view).to_contain_text(re.compile("mean difference|differ"))
    sides = panel.view.get_by_role("img", name=re.compile("^picture [ab]$"))
    wait_until_shown(sides.nth(0), picture("red"))
    wait_until_shown(sides.nth(1), picture("green"))
    panel.view.get_by_label("Save to").fill("kept.png")
    panel.view.get_by_role("button", name="Save").click()
    expect(panel.view).to_contain_text("Saved to kept.png")
    assert (tmp_path / "kept.png").read_bytes() == picture("green", (320, 200))


def test_an_uploaded_picture_is_sent_and_stays_in_no_widget(
    in_lab: Opened, gateway: Gateway, preamble: str, tmp_path: Path
) -> None:
    """What a field holds may be saved with the notebook."""
    gateway.rule = lambda _: Said(answer(RED))
    mine = tmp_path / "mine.png"
    mine.write_bytes(picture("orange", (123, 77)))
    lab = in_lab(preamble, PANEL)
    panel = opened(lab)
    panel.button("More").click()
    lab.upload(panel.area.get_by_role("button", name=re.compile("Upload pictures")), mine)
    expect(panel.area.get_by_text(re.compile(r"^mine\.png \(png"))).to_be_visible()

    panel.ask("with a hat")
    wait_until_shown(panel.jobs.locator("img"), RED)

    assert mine.read_bytes() in gateway.posts[0].body
    uploads = [model for model in lab.models().values() if model["model_name"] == "FileUploadModel"]
    assert [model["state"]["value"] for model in uploads] == [[]]


def test_everything_is_found_again_after_the_page_and_the_kernel_were_left(
    in_lab: Opened, gateway: Gateway, preamble: str
) -> None:
    """A reload finds the panel as it was; after a restart the cell is run again, and the store has the rest."""
    gateway.rule = painter
    lab = in_lab(preamble, PANEL)
    panel = opened(lab)
    panel.ask("a fish in purple")
    wait_until_shown(panel.tiles.first.locator("img"), picture("purple"))

    lab.reload()
    lab.wait_for_widgets()
    panel = Shown(lab.area.first)
    expect(panel.field("Prompt")).to_have_value("a fish in purple")
    wait_until_shown(panel.tiles.first.locator("img"), picture("purple"))
    panel.ask("a fish in navy")
    wait_until_shown(panel.tiles.first.locator("img"), picture("navy"))
    lab.restart()
    panel = opened(lab)

    expect(panel.found).to_have_text("2 found · page 1 of 1")
    wait_until_shown(panel.tiles.nth(0).locator("img"), picture("navy"))
    wait_until_shown(panel.tiles.nth(1).locator("img"), picture("purple"))


def test_a_saved_notebook_shows_the_last_pictures_without_a_kernel(
    in_lab: Opened, gateway: Gateway, preamble: str
) -> None:
    """They are an ordinary output below the panel, put in place when a job ends."""
    gateway.rule = painter
    lab = in_lab(preamble, PANEL)
    panel = opened(lab)
    panel.ask("a leaf in green")
    wait_until_shown(panel.tiles.first.locator("img"), picture("green"))
    wait_until_shown(lab.cell(1).locator(".jp-RenderedImage img"), picture("green"))

    saved = json.loads(lab.save())

    outputs = saved["cells"][1]["outputs"]
    assert "application/vnd.jupyter.widget-view+json" in outputs[0]["data"]
    assert any(mime.startswith("image/") for output in outputs for mime in output["data"])
    assert any("320×200 png" in "".join(output["data"].get("text/plain", "")) for output in outputs)


def test_thousands_of_pictures_open_at_once(in_lab: Opened, preamble: str, tmp_path: Path) -> None:
    """Twelve thumbnails are made, whatever the store holds; the rest is paged."""
    long_history(tmp_path / "imagegen", 5000, tuple(map(picture, COLOURS)), "panel.ipynb")
    panel = opened(in_lab(preamble, PANEL))

    expect(panel.found).to_have_text("5000 found · page 1 of 417")
    wait_until_shown(panel.tiles.first.locator("img"), picture(COLOURS[4999 % 12]))
    expect(panel.tiles).to_have_count(12)
    panel.button("Older ›").click()
    expect(panel.found).to_have_text("5000 found · page 2 of 417")
    panel.field("Search").fill("4711")
    expect(panel.found).to_have_text("1 found · page 1 of 1")
    wait_until_shown(panel.tiles.first.locator("img"), picture(COLOURS[4711 % 12]))


def test_it_works_in_notebook_7(in_notebook: Opened, gateway: Gateway, preamble: str) -> None:
    """The same panel, the same picture."""
    gateway.rule = lambda _: Said(answer(RED))
    panel = opened(in_notebook(preamble, PANEL))

    panel.ask("an otter")

    wait_until_shown(panel.jobs.locator("img"), RED)
    wait_until_shown(panel.tiles.first.locator("img"), RED)


def test_it_works_in_voila(in_voila: OpenedInVoila, gateway: Gateway, preamble: str, shots: Path) -> None:
    """Where there are no cells: generate, see the picture, cancel another one."""
    gateway.rule = lambda asked: Hang() if "slow" in asked.json["prompt"] else Said(answer(RED))
    panel = Shown(in_voila(preamble, PANEL).first)
    panel.ask("an otter")
    wait_until_shown(panel.jobs.first.locator("img"), RED)

    panel.ask("a slow otter")
    panel.jobs.first.get_by_role("button", name="Cancel").click()

    assert gateway.hung_up.wait(30)
    expect(panel.jobs.first).to_contain_text("cancelled")
    shoot(panel.area, shots / "panel-voila.png")


def test_it_is_used_by_the_keyboard_alone(in_lab: Opened, gateway: Gateway, preamble: str) -> None:
    """Tab leads from the prompt to Generate in the order in which they are seen, and Enter presses it."""
    gateway.rule = lambda _: Said(answer(RED))
    lab = in_lab(preamble, PANEL)
    panel = opened(lab)
    panel.field("Prompt").focus()
    lab.page.keyboard.type("an otter")

    names: list[str] = []
    while "Generate" not in names and len(names) < 12:
        lab.page.keyboard.press("Tab")
        names.append(lab.page.evaluate("front.focused()"))
    lab.page.keyboard.press("Enter")

    assert names == ["Provider", "Model", "Size", "Quality", "Pictures", "More", "Generate"]
    wait_until_shown(panel.jobs.locator("img"), RED)
    assert lab.page.evaluate("front.unnamed('.jig-panel')") == []


def test_it_is_readable_at_any_width_in_both_themes(in_lab: Opened, preamble: str, shots: Path) -> None:
    """Nothing is wider than the window, and words stand out from what is behind them; the pictures are for people."""
    asks = "\n".join(
        f"ig.rate(ig.generate({prompt!r}, size={size!r}, seed={seed}), {1 + seed % 5})"
        for seed, (prompt, size) in enumerate(SCENES)
    )
    lab = in_lab(f"{preamble}\ndel os.environ['IMAGEGEN_BASE_URL'], os.environ['IMAGEGEN_MODEL']", asks, PANEL)
    panel = opened(lab)
    panel.ask("a sea otter at dusk")
    expect(panel.jobs.locator("img")).to_be_visible()
    panel.tiles.nth(2).get_by_role("button").click()
    expect(panel.view.locator("img:visible")).to_be_visible()
    expect(panel.tiles.last.locator("img")).to_be_visible()

    for is_open in (False, True):
        for width in (NARROW, USUAL, WIDE):
            for theme in THEMES:
                lab.show(width, theme)
                assert lab.page.evaluate("front.tooWide('.jig-panel')") == []
                assert lab.page.evaluate("front.tooFaint('.jig-panel')") == []
                lab.shoot(shots / f"panel-{width}-{theme}{'-more' if is_open else ''}.png", width, theme)
        panel.button("More").click()
