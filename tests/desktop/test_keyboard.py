"""Everything of the first hour without a mouse: create an agent, talk, allow a call, deny one, edit memory."""

from page import COLUMNS, Keyboard, block_value, words

ALERT = "[role=alertdialog]"
CALL = {"tool_calls": [{"name": "read_file", "arguments": {"path": "note.txt"}}]}
t = words()


def test_the_first_hour_without_a_mouse(page, model, tmp_path):
    folder = tmp_path / "papers"
    folder.mkdir()
    (folder / "note.txt").write_text("The code is BLUE-HERON-42.")
    keyboard = Keyboard(page)
    page.wait("h1", t("firstRun.heading"))

    # Create.
    keyboard.press_button(t("agents.createFirst"))
    page.wait("[role=dialog]", t("agents.createHeading"))
    keyboard.to(t("agents.name"), "input")
    keyboard.type("Mercury")
    page.wait("[role=combobox]", "/")
    keyboard.press_button(t("agents.model"))
    keyboard.type("mini")
    page.wait("[role=option]", "gpt-4.1-mini")
    keyboard.press("Enter")
    page.wait("[role=combobox]", "openai/gpt-4.1-mini")
    keyboard.to(t("agents.human"), "textarea")
    keyboard.type("Name: Ada.")
    keyboard.press_button(t("agents.createSubmit"))
    page.gone("[role=dialog]")
    page.wait("h1", "Mercury")

    # A folder for the tools of this machine: along the tabs with the arrows.
    keyboard.tab(t("inspector.tools"))
    keyboard.to(t("tools.folder"), "input")
    keyboard.type(str(folder))
    keyboard.press_button(t("tools.folderSave"))
    page.wait("button", t("tools.folderRemove"))

    # Talk, and allow: the request stands before the box one writes in.
    keyboard.press("Control", "l")
    assert t("composer.label") in keyboard.here()
    model.script(CALL)
    keyboard.type("Read my note")
    keyboard.press("Enter")
    page.wait(ALERT, "read_file")
    keyboard.to(t("approval.edit"), f"{ALERT} *", back=True)
    model.script({"text": "It says BLUE-HERON-42."})
    keyboard.press("Alt", "1")
    page.wait(COLUMNS, "It says BLUE-HERON-42.")
    page.gone(ALERT)

    # Deny with a reason, by Tab and Enter alone.
    model.script(CALL)
    keyboard.press("Control", "l")
    keyboard.type("And again")
    keyboard.press("Enter")
    page.wait(ALERT, "read_file")
    keyboard.press_button(t("approval.denyWithReason"), back=True)
    page.until(lambda: t("approval.reasonLabel") in keyboard.here(), "the reason to have the focus")
    keyboard.type("Once is enough.")
    model.script({"text": "As you wish."})
    keyboard.press_button(t("approval.sendDenial"))
    page.wait(COLUMNS, "As you wish.")
    assert "Once is enough." in str(model.requests()[-1]["messages"][-1])

    # Edit memory.
    keyboard.tab(t("inspector.memory"))
    keyboard.press_button(t("block.edit", label="human"))
    page.wait(".cm-content")
    keyboard.to(t("block.valueLabel", label="human"), ".cm-content")
    keyboard.press("Control", "End")
    keyboard.type(" Likes tea.")
    keyboard.press_button(t("block.save"))
    page.until(lambda: block_value(page, "human") == "Name: Ada. Likes tea.", "the edit to be kept")
