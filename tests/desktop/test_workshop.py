"""The Workshop in the real webview: write a tool, try it, give it to an agent, allow its call."""

import json
import zipfile

from support.window import Window
from test_window import create_agent, say

BROKEN = "def weigh(item: str"
WEIGH = '''def weigh(item: str, grams: int = 5) -> str:
    """Put something on the scales.

    Args:
        item: What is weighed.
        grams: What it weighs by itself.
    """
    print("on the scales")
    return f"{item}: {grams * 2} g"
'''
CALL = '''import heronlib
def call_bird(name: str) -> str:
    """Call a bird by its name.

    Args:
        name: Whom to call.
    """
    return heronlib.call(name)
'''
RESULT = "section[aria-label=Result]"


def begin(window):
    window.click("nav button", "Workshop")
    window.click("button", "New tool")
    window.click("[role=dialog] button", "A function in Python")
    window.gone("[role=dialog]")
    window.wait(".cm-content[aria-label='Source code']")


def write(window, source):
    """Types into the editor; whole lines, so that no help of the editor gets in between."""
    window.fill("Source code", source)
    window.until(
        lambda: window.js("return document.querySelector(\".cm-content[aria-label='Source code']\").innerText").split()
        == source.split(),
        "the editor to hold the source",
    )


def test_a_tool_is_written_tried_and_allowed(window, model):
    create_agent(window)
    begin(window)

    # What is wrong is said with its line, and it cannot be saved.
    write(window, BROKEN)
    window.wait("p[role=status]", "line 1")
    window.wait(".cm-content[aria-invalid=true]")
    window.wait("button[disabled]", "Save")
    window.shot("12-workshop-fault")

    # What the model is told is derived from the source.
    write(window, WEIGH)
    window.wait("h2", "weigh")
    window.click("[role=tab]", "Schema")
    window.wait("[role=tabpanel]", "Put something on the scales.")
    window.wait(".cm-content[aria-label=Schema]", '"grams"')
    assert window.find(".cm-content[aria-label=Schema]", "What is weighed.")

    # It is tried with a form made from that, confined as it will be.
    window.click("[role=tab]", "Test")
    window.wait("form[aria-label=Arguments]", "Still needed: item")
    window.fill("item", "a heron")
    window.fill("grams", "21")
    window.click("form[aria-label=Arguments] button", "Run")
    window.wait(RESULT, "Succeeded")
    shown = window.js("return document.querySelector(arguments[0]).innerText", RESULT)
    assert "on the scales" in shown
    assert "a heron: 42 g" in shown
    assert "no network" in shown
    window.shot("13-workshop-tried")

    # Asking before each call is how a tool begins.
    window.click("[role=tab]", "Settings")
    window.wait("[role=switch][aria-label='Ask before each call'][aria-checked=true]")
    window.click("button", "Save")
    window.wait("ul[aria-label='Your tools'] li", "weigh")
    window.gone("h2", "not saved")

    window.click("nav button", "Mercury")
    window.click("[role=tab]", "Tools")
    window.click("button", "Attach a tool")
    window.click("[role=dialog] button", "Attach weigh")
    window.gone("[role=dialog]")
    window.wait("li[aria-label=weigh] [role=switch][aria-checked=true]", "Ask before weigh")

    model.script({"tool_calls": [{"name": "weigh", "arguments": {"item": "an egret", "grams": 50}}]})
    say(window, "Weigh the egret")
    window.wait("[role=alertdialog]", "weigh")
    assert "an egret" in window.js("return document.querySelector('[role=alertdialog]').innerText")
    window.shot("14-workshop-asked")
    assert model.requests()[-1]["messages"][-1]["role"] == "user", "nothing ran unasked"
    model.script({"text": "It is heavy."})
    window.click("[role=alertdialog] button", "Allow once")
    window.wait("main, body", "It is heavy.")
    returned = [message for message in model.requests()[-1]["messages"] if message["role"] == "tool"][-1]
    assert json.loads(returned["content"])["message"] == "an egret: 100 g"


def wheel(folder):
    """A package that no index has."""
    folder.mkdir()
    info = "heronlib-1.0.dist-info"
    with zipfile.ZipFile(folder / "heronlib-1.0-py3-none-any.whl", "w") as built:
        built.writestr("heronlib.py", "def call(name):\n    return 'kraak, ' + name\n")
        built.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: heronlib\nVersion: 1.0\n")
        built.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        built.writestr(f"{info}/RECORD", f"heronlib.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n")


def test_a_tool_gets_the_package_it_names(display, env, tmp_path):
    wheel(tmp_path / "wheels")
    places = str(tmp_path / "wheels")
    window = Window(display, env | {
        "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": places, "UV_NO_INDEX": "1", "UV_FIND_LINKS": places,
    })
    try:
        begin(window)
        write(window, CALL)
        window.wait("h2", "call_bird")
        window.click("[role=tab]", "Settings")
        window.fill("Python packages", "heronlib==1.0")
        window.key("Enter")
        window.wait("[role=tabpanel] li", "heronlib==1.0")
        window.click("[role=tab]", "Test")
        window.fill("name", "Ada")
        window.click("form[aria-label=Arguments] button", "Run")
        window.wait(RESULT, "kraak, Ada", seconds=60)
        shown = window.js("return document.querySelector(arguments[0]).innerText", RESULT)
        assert "Installation" in shown
        assert "Succeeded" in shown
        window.shot("15-workshop-package")
    finally:
        window.close()
