"""What a person does on the page, for the window and the browser alike. Its words come from the language files."""

import functools
import json

from support.programs import ROOT

MODEL = "openai/gpt-4.1"
COLUMNS = "main, body"


@functools.cache
def words(language="en"):
    """The words of a language by their key, as the page looks them up."""
    tree = json.loads((ROOT / "ui" / "src" / "i18n" / f"{language}.json").read_text())

    def say(key, **values):
        found = tree
        for name in key.split("."):
            found = found[name]
        for name, value in values.items():
            found = found.replace("{{" + name + "}}", str(value))
        return found

    return say


def create_agent(page, name="Mercury", human="Name: Ada.", t=words()):
    page.until(lambda: page.find("button", t("agents.createFirst")) or page.find("button", t("agents.create")), "a way to create an agent")
    page.click("button", t("agents.createFirst") if page.find("button", t("agents.createFirst")) else t("agents.create"))
    page.wait("[role=dialog]", t("agents.createHeading"))
    page.fill(t("agents.name"), name)
    page.fill(t("agents.human"), human)
    pick_model(page, MODEL, t)
    page.click("[role=dialog] button", t("agents.createSubmit"))
    page.gone("[role=dialog]")
    page.wait("textarea")


def pick_model(page, handle, t=words()):
    """Looks a model up by typing, as one who knows its name does."""
    control = page.labelled(t("agents.model"))
    page.until(lambda: page.js("return !arguments[0].disabled", control), "the list of models")
    if handle in page.js("return arguments[0].innerText", control):
        return
    page.js("arguments[0].focus()", control)
    page.key("Enter")
    page.wait("[cmdk-input]")
    page.js("document.querySelector('[cmdk-input]').focus(); document.execCommand('insertText', false, arguments[0])", handle)
    page.until(lambda: handle.endswith(page.js(
        "return document.querySelector('[cmdk-item][data-selected=true] span')?.innerText ?? '-'"
    )), f"{handle} to be offered first")
    page.key("Enter")
    page.gone("[cmdk-input]")
    page.until(lambda: handle in page.js("return arguments[0].innerText", control), f"{handle} to be chosen")


def choose(page, label, value):
    """Chooses in a list, as a person's choice would be told to React."""
    page.js(
        """
        const [control, value] = arguments;
        Object.getOwnPropertyDescriptor(HTMLSelectElement.prototype, 'value').set.call(control, value);
        control.dispatchEvent(new Event('change', { bubbles: true }));
        """,
        page.labelled(label), value,
    )


def say(page, text, t=words()):
    page.fill(t("composer.label"), text)
    page.key("Enter")


def block_value(page, label):
    return page.js(
        """
        const card = [...document.querySelectorAll('[data-testid=block]')].find((e) => e.querySelector('h1,h2,h3,h4')?.innerText === arguments[0]);
        return card?.querySelector('[data-testid=block-value]')?.innerText ?? null;
        """,
        label,
    )


def switch(page, name, on, t=words()):
    """Sets a switch of the settings, which stay on the page."""
    label = t(f"settings.toggles.{name}")
    page.click("nav button", t("rail.settings"))
    page.click("[role=switch]", label)
    page.wait(f"[role=switch][aria-checked={str(on).lower()}]", label)


def choose_folder(page, folder, t=words()):
    page.click("[role=tab]", t("inspector.tools"))
    page.fill(t("tools.folder"), str(folder))
    page.click("button", t("tools.folderSave"))
    page.wait("button", t("tools.folderRemove"))
    page.click("[role=tab]", t("inspector.memory"))


def watch_replies(page):
    """From now on the page notes every text its replies had on the way; `seen_replies` tells them."""
    page.js(
        """
        window.repliesSeen = [];
        new MutationObserver(() => {
          const last = [...document.querySelectorAll('article[data-role=agent]')].at(-1)?.innerText ?? '';
          if (last && window.repliesSeen.at(-1) !== last) window.repliesSeen.push(last);
        }).observe(document.body, { subtree: true, childList: true, characterData: true });
        """
    )


def seen_replies(page):
    return page.js("return window.repliesSeen")


class Keyboard:
    """A page on which nothing is ever clicked."""

    def __init__(self, page):
        self.page = page

    def press(self, *names):
        self.page.key(*names)

    def type(self, text):
        self.page.type(text)

    def here(self):
        """What has the focus, as it is called: by a label, else by what it says or hints at."""
        return self.page.js("""
            const e = document.activeElement;
            if (!e || e === document.body) return '';
            const by = (e.getAttribute('aria-labelledby') ?? '').split(' ').map((id) => document.getElementById(id)?.innerText);
            const names = [e.getAttribute('aria-label'), ...by, ...[...(e.labels ?? [])].map((l) => l.innerText), e.innerText, e.placeholder];
            return names.find((name) => name?.trim())?.trim() ?? '';
        """)

    def to(self, name, css="*", back=False):
        """Tab, until what has the focus is called so. It must be seen to have it."""
        passed = []
        for _ in range(200):
            here = self.here()
            if here.startswith(name) and self.page.js("return document.activeElement.matches(arguments[0])", css):
                assert self.page.js("return document.activeElement.matches(':focus-visible')"), f"{name} has the focus unseen"
                return
            passed.append(here[:40])
            self.press(*(["Shift"] if back else []), "Tab")
        raise AssertionError(f"{name!r} cannot be reached with Tab; passed {passed}")

    def press_button(self, name, css="button", back=False):
        self.to(name, css, back)
        self.press("Enter")

    def tab(self, name):
        """Along a row of tabs with the arrows."""
        self.to("", "[role=tab]")
        for _ in range(8):
            here = self.page.wait("[role=tab][aria-selected=true]:focus") and self.here()
            if here == name:
                return
            self.press("Right")
            self.page.until(lambda here=here: self.here() != here, "the next tab")
        raise AssertionError(f"there is no tab {name}")
