"""The Workshop in the real webview: tools are written, tried, given to agents, and asked about when they are called."""

import json
import zipfile

import pytest
from page import COLUMNS, choose_folder, create_agent, say
from support.window import Window

ALERT = "[role=alertdialog]"
BROKEN = "def weigh(item: str"
WEIGH = '''def weigh(item: str, grams: int = 5) -> str:
    """Put something on the scales.

    Args:
        item: What is weighed.
        grams: What it weighs by itself.
    """
    print("on the scales")
    if grams < 0:
        raise ValueError("lighter than air")
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


@pytest.fixture
def packages(tmp_path, env):
    """Installers find only a package that no index has, in a folder of this test."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    info = "heronlib-1.0.dist-info"
    with zipfile.ZipFile(folder / "heronlib-1.0-py3-none-any.whl", "w") as built:
        built.writestr("heronlib.py", "def call(name):\n    return 'kraak, ' + name\n")
        built.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: heronlib\nVersion: 1.0\n")
        built.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        built.writestr(f"{info}/RECORD", f"heronlib.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n")
    return env | {
        "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(folder), "UV_NO_INDEX": "1", "UV_FIND_LINKS": str(folder),
    }


@pytest.fixture
def stocked(display, packages):
    opened = Window(display, packages)
    yield opened
    opened.close()


def begin(window, point="A function in Python"):
    window.click("nav button", "Workshop")
    window.click("button", "New tool")
    window.click("[role=dialog] button", point)
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


def fill_in(window, label, text):
    """Fills an argument in; again if the form was still being put together."""
    def held():
        window.fill(label, text)
        return window.js("return document.activeElement?.value") == text

    window.until(held, f"{label} to hold {text!r}")


def shown(window, css):
    return window.js("return document.querySelector(arguments[0])?.innerText ?? ''", css)


def kept(window, name):
    """Waits until the tool is stored and its page is the stored one's."""
    window.wait("ul[aria-label='Your tools'] li", name)
    window.wait("p", "Runs in the server the agent lives on.")
    window.gone("h2", "not saved")
    window.wait(".cm-content[aria-label='Source code']")


def focused(window):
    return window.js("return document.activeElement?.getAttribute('aria-label') ?? document.activeElement?.innerText ?? ''")


def returned(model):
    """What the model was told of the last call."""
    return [message for message in model.requests()[-1]["messages"] if message["role"] == "tool"][-1]["content"]


def test_a_tool_is_corrected_tried_and_brought_back(window):
    create_agent(window)
    begin(window)

    # What is wrong is said with its place and underlined there, and it cannot be saved.
    write(window, BROKEN)
    window.wait("p[role=status]", "line 1, column 10")
    window.wait(".cm-content[aria-invalid=true] .cm-lintRange-error")
    window.wait("button[disabled]", "Save")
    window.shot("12-workshop-fault")

    # What the model is told is derived from the source.
    write(window, WEIGH)
    window.wait("h2", "weigh")
    window.click("[role=tab]", "Schema")
    window.wait("[role=tabpanel]", "Put something on the scales.")
    window.wait(".cm-content[aria-label=Schema]", '"grams"')
    assert window.find(".cm-content[aria-label=Schema]", "What is weighed.")

    # It is tried with a form made from that, confined as it will be; a failure says where it was.
    window.click("[role=tab]", "Test")
    window.wait("form[aria-label=Arguments]", "Still needed: item")
    fill_in(window, "item", "a heron")
    fill_in(window, "grams", "21")
    window.click("form[aria-label=Arguments] button", "Run")
    window.wait(RESULT, "Succeeded")
    for text in ("on the scales", "a heron: 42 g", "no network"):
        assert text in shown(window, RESULT)
    window.shot("13-workshop-tried")
    fill_in(window, "grams", "-1")
    # From here on without a mouse: run, save, and out of the editor, in which Tab indents.
    window.key("Control", "Enter")
    window.wait(RESULT, "Failed")
    window.wait(RESULT, "line 10, in weigh")
    assert "lighter than air" in shown(window, RESULT)
    window.wait("section[aria-label='Earlier runs'] li", "Succeeded")
    window.key("Control", "s")
    kept(window, "weigh")
    # One stays where one was, with what was filled in and what came of it.
    assert window.js("return arguments[0].value", window.labelled("grams")) == "-1"
    assert "lighter than air" in shown(window, RESULT)
    window.js("document.querySelector(\".cm-content[aria-label='Source code']\").focus()")
    window.key("Escape")
    window.key("Tab")
    window.until(lambda: focused(window) != "Source code", "the focus to leave the editor")

    # Every version is kept, and can be seen beside the one of now and brought back.
    write(window, WEIGH.replace("* 2", "* 3"))
    window.wait("h2", "not saved")
    window.key("Control", "s")
    window.gone("h2", "not saved")
    window.click("[role=tab]", "History")
    window.click("[role=tabpanel] li button", "Compare")
    window.wait("[role=dialog] .cm-changedText")
    window.click("[role=dialog] button", "Restore this version")
    window.gone("[role=dialog]")
    window.until(lambda: "grams * 2" in shown(window, ".cm-content[aria-label='Source code']"), "the version to be back")
    window.wait("[role=tabpanel] li", "Version 3 (now)")


def test_a_tool_with_a_package_goes_all_the_way_to_an_answer(stocked, model):
    window = stocked
    create_agent(window)
    begin(window)
    write(window, CALL)
    window.wait("h2", "call_bird")

    # The package is installed where one can watch, once.
    window.click("[role=tab]", "Settings")
    window.fill("Python packages", "heronlib==1.0")
    window.key("Enter")
    window.wait("[role=tabpanel] li", "heronlib==1.0")
    # Asking before each call is how a tool begins.
    window.wait("[role=switch][aria-label='Ask before each call'][aria-checked=true]")
    window.click("[role=tab]", "Test")
    fill_in(window, "name", "Ada")
    window.click("form[aria-label=Arguments] button", "Run")
    window.wait(RESULT, "kraak, Ada", seconds=60)
    assert "Installation" in shown(window, RESULT)
    assert "Succeeded" in shown(window, RESULT)
    window.shot("15-workshop-package")

    # It is saved and attached without leaving the page.
    window.click("button", "Save")
    kept(window, "call_bird")
    window.click("[role=tab]", "Agents")
    window.click("[role=switch]", "Attach to Mercury")
    window.wait("[role=tabpanel] li[aria-label=Mercury]", "asks before each call")

    # The agent calls it; nothing runs before a person allows it; the answer reaches the model.
    window.click("nav button", "Mercury")
    model.script({"tool_calls": [{"name": "call_bird", "arguments": {"name": "Grus"}}]})
    say(window, "Call the bird")
    window.wait(ALERT, "call_bird")
    assert "Grus" in shown(window, ALERT)
    window.shot("14-workshop-asked")
    assert model.requests()[-1]["messages"][-1]["role"] == "user", "nothing ran unasked"
    model.script({"text": "It came at once."})
    window.click(f"{ALERT} button", "Allow once")
    window.wait(COLUMNS, "It came at once.")
    assert json.loads(returned(model))["message"] == "kraak, Grus"
    window.click("article[data-role=agent] summary", "call_bird")
    window.wait("article[data-role=agent]", "kraak, Grus")


def test_a_tool_of_this_machine_is_written_offered_and_asked_about(window, model, tmp_path):
    create_agent(window)
    folder = tmp_path / "papers"
    folder.mkdir()
    (folder / "poem.txt").write_text("one\ntwo\nthree\n")
    choose_folder(window, folder)

    begin(window, "Count the lines of your files")
    window.wait("h2", "count_lines")
    window.click("[role=tab]", "Settings")
    window.click("[role=switch]", "Changes nothing")
    window.click("button", "Save")
    window.wait("p", "Runs on this machine, confined to the folder")
    window.click("[role=tab]", "Settings")
    window.click("button", "Add a variable")
    window.shot("23-workshop-own-variables")
    window.click("button[aria-label='Remove ']")
    window.click("[role=tab]", "History")
    window.wait("[role=tabpanel] li", "count_lines")
    window.click("[role=tab]", "Agents")
    window.click("[role=switch]", "Offer to Mercury")
    window.wait("[role=switch][aria-label='Offer to Mercury'][aria-checked=true]")
    window.shot("23-workshop-own")

    # One of the server with its name: the page says which of them an agent sees.
    begin(window)
    write(window, WEIGH.replace("weigh(", "count_lines("))
    window.wait("[role=status]", "There is a tool count_lines on this machine, too.")
    window.click("button", "Save")
    kept(window, "count_lines")
    window.click("[role=tab]", "Agents")
    window.click("[role=switch]", "Attach to Mercury")
    window.wait("[role=tabpanel] li[aria-label=Mercury]", "asks before each call")

    window.click("nav button", "Mercury")
    window.click("[role=tab]", "Tools")
    window.wait("section[aria-labelledby=own-tools] li[aria-label=count_lines]", "not seen by the agent")
    window.wait("section[aria-labelledby=local-tools] li[aria-label=count_lines]", "takes the place")
    window.shot("24-shadow")
    model.script({"tool_calls": [{"name": "count_lines", "arguments": {}}]})
    say(window, "Count them")
    window.wait(ALERT, "runs on this machine")
    window.wait(ALERT, "only reads")
    model.script({"text": "Three lines."})
    window.click(f"{ALERT} button", "Allow once")
    window.wait(COLUMNS, "Three lines.")
    assert json.loads(json.loads(returned(model))["message"]) == {"poem.txt": 3}
