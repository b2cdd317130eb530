"""A desktop session of the tests' own: a message bus nobody else is on, stand-ins for what a desktop shows besides
windows (notifications, the tray), and a keyring."""

import asyncio
import dataclasses
import os
import pathlib
import subprocess
import tempfile
import threading

from dbus_fast import Message, MessageType, Variant
from dbus_fast.aio import MessageBus

from .waiting import eventually, listens

NOTIFICATIONS = "org.freedesktop.Notifications"
WATCHER = "org.kde.StatusNotifierWatcher"
ITEM = "org.kde.StatusNotifierItem"
MENU = "com.canonical.dbusmenu"
PROPERTIES = "org.freedesktop.DBus.Properties"
SECRETS = "org.freedesktop.secrets"
PROMPTER = "org.gnome.keyring.SystemPrompter"
PROMPTING = "org.gnome.keyring.internal.Prompter"

# Nothing is started by being asked for: a test has what it begins itself and nothing of this machine's.
CONFIG = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path={folder}/bus</listen>
  <auth>EXTERNAL</auth>
  <policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy>
</busconfig>
"""


@dataclasses.dataclass
class Notification:
    """One as the desktop shows it."""

    id: int
    title: str
    body: str
    buttons: dict
    sender: str
    closed: bool = False


class DesktopSession:
    """A bus in a runtime folder of its own. `env` leads programs there; the stand-ins answer on a thread."""

    def __init__(self, *, tray=True, notifications=True):
        self.folder = tempfile.TemporaryDirectory(prefix="loci-session-", ignore_cleanup_errors=True)
        root = pathlib.Path(self.folder.name)
        (root / "bus.conf").write_text(CONFIG.format(folder=root))
        self.address = f"unix:path={root}/bus"
        self.home = root / "home"
        self.home.mkdir()
        self.runtime = root / "run"
        self.runtime.mkdir(mode=0o700)
        self.env = {
            "DBUS_SESSION_BUS_ADDRESS": self.address, "XDG_RUNTIME_DIR": str(self.runtime),
            "XDG_DATA_HOME": str(self.home / "share"), "XDG_CONFIG_HOME": str(self.home / "config"),
            "XDG_CACHE_HOME": str(self.home / "cache"),
        }
        self.children = []
        self._start(["dbus-daemon", f"--config-file={root / 'bus.conf'}", "--nofork", "--nopidfile"])
        eventually(lambda: listens(root / "bus"), "the bus", 20)
        self.notifications: list[Notification] = []
        self.prompts: list[str] = []
        self.item = None
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        self.bus = self._run(self._connect([NOTIFICATIONS] * notifications + [WATCHER] * tray + [PROMPTER]))

    def _start(self, args, **more):
        child = subprocess.Popen(
            args, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=os.environ | self.env, **more
        )
        self.children.append(child)
        return child

    def stop(self, child):
        child.terminate()
        child.wait(timeout=20)

    def _run(self, work, seconds=30):
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(seconds)

    async def _connect(self, names):
        bus = await MessageBus(bus_address=self.address).connect()
        bus.add_message_handler(self._hear)
        for name in names:
            await bus.request_name(name)
        return bus

    def close(self):
        async def leave():
            self.bus.disconnect()
            await asyncio.sleep(0)

        self._run(leave())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(20)
        for child in reversed(self.children):
            try:
                self.stop(child)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait(timeout=20)
        self.folder.cleanup()

    # What programs say to the desktop.

    def _hear(self, message):
        if message.message_type is not MessageType.METHOD_CALL:
            return None
        match (message.interface, message.member, message.body):
            case (i, "Notify", [_app, replaces, _icon, title, body, actions, _hints, _timeout]) if i == NOTIFICATIONS:
                number = replaces or len(self.notifications) + 1
                buttons = dict(zip(actions[::2], actions[1::2], strict=True))
                self.notifications.append(Notification(number, title, body, buttons, message.sender))
                return Message.new_method_return(message, "u", [number])
            case (i, "CloseNotification", [number]) if i == NOTIFICATIONS:
                self._closed(number, 3)
                return Message.new_method_return(message)
            case (i, "GetCapabilities", []) if i == NOTIFICATIONS:
                return Message.new_method_return(message, "as", [["body", "actions"]])
            case (i, "GetServerInformation", []) if i == NOTIFICATIONS:
                return Message.new_method_return(message, "ssss", ["tests", "loci", "1", "1.2"])
            case (i, "RegisterStatusNotifierItem", [path]) if i == WATCHER:
                self.item = Tray(self, message.sender, path if path.startswith("/") else "/StatusNotifierItem")
                return Message.new_method_return(message)
            case (i, "BeginPrompting", [callback]) if i == PROMPTING:
                # The dialog for the password is on the screen, and the person is somewhere else.
                self.prompts.append(callback)
                return Message.new_method_return(message)
            case (i, "StopPrompting", _) if i == PROMPTING:
                return Message.new_method_return(message)
            case (i, "Get", [_, "IsStatusNotifierHostRegistered"]) if i == PROPERTIES:
                return Message.new_method_return(message, "v", [Variant("b", True)])
            case (i, "Get", [_, "RegisteredStatusNotifierItems"]) if i == PROPERTIES:
                return Message.new_method_return(message, "v", [Variant("as", [])])
            case (i, "GetAll", [name]) if i == PROPERTIES and name == WATCHER:
                known = {"IsStatusNotifierHostRegistered": Variant("b", True), "ProtocolVersion": Variant("i", 0)}
                return Message.new_method_return(message, "a{sv}", [known])
        return None

    def _closed(self, number, reason):
        for one in self.notifications:
            if one.id == number and not one.closed:
                one.closed = True
                self._signal("NotificationClosed", "uu", [number, reason])

    def _signal(self, name, signature, body):
        self.bus.send(Message.new_signal("/org/freedesktop/Notifications", NOTIFICATIONS, name, signature, body))

    # What a person does with them.

    def shown(self, text):
        """The notifications on the screen that say this."""
        return [one for one in self.notifications if not one.closed and text in f"{one.title}\n{one.body}"]

    def wait_for(self, text, seconds=30):
        return eventually(lambda: self.shown(text), f"a notification {text!r}; there were {self.notifications}", seconds)[0]

    def press(self, notification, button="default"):
        """Presses a button, or the notification itself; then it closes, as desktops do."""
        assert button in notification.buttons, notification

        async def act():
            self._signal("ActionInvoked", "us", [notification.id, button])
            self._closed(notification.id, 2)

        self._run(act())

    def tray(self):
        """The icon in the tray."""
        return eventually(lambda: self.item, "an icon in the tray")

    def call(self, destination, path, interface, member, signature="", body=()):
        async def ask():
            return await self.bus.call(Message(
                destination=destination, path=path, interface=interface, member=member,
                signature=signature, body=list(body),
            ))

        answer = self._run(ask())
        if answer.message_type is MessageType.ERROR:
            raise RuntimeError(f"{member}: {answer.error_name}: {answer.body}")
        return answer.body

    def has_name(self, name):
        return self.call("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "NameHasOwner", "s", [name])[0]

    # The keyring.

    def keyring(self, *, unlocked=True):
        """Begins one in this session's own folder. Of a locked one `prompts` tells whom it asked to open it."""
        (self.home / "share" / "keyrings").mkdir(parents=True, exist_ok=True)
        args = ["gnome-keyring-daemon", "--foreground", "--components=secrets"]
        if unlocked:
            child = self._start([*args, "--unlock"], stdin=subprocess.PIPE)
            child.stdin.write(b"\n")
            child.stdin.close()
        else:
            child = self._start(args, stdin=subprocess.DEVNULL)
        eventually(lambda: self.has_name(SECRETS), "the keyring", 20)
        if unlocked:
            eventually(lambda: not self._secret("/org/freedesktop/secrets/aliases/default", "Locked"), "an open keyring", 20)
        return child

    def _secret(self, path, name):
        interface = "org.freedesktop.Secret.Item" if path.rsplit("/", 1)[1].isdigit() else "org.freedesktop.Secret.Collection"
        try:
            return self.call(SECRETS, path, PROPERTIES, "Get", "ss", [interface, name])[0].value
        except RuntimeError:
            return True if name == "Locked" else None

    def secrets(self):
        """What the keyring keeps: the attributes of each secret, and the secret."""
        async def read():
            bus = await MessageBus(bus_address=self.address).connect()
            try:
                return await kept(bus)
            finally:
                bus.disconnect()

        async def kept(bus):
            async def ask(path, interface, member, signature="", body=()):
                answer = await bus.call(Message(
                    destination=SECRETS, path=path, interface=interface, member=member,
                    signature=signature, body=list(body),
                ))
                if answer.message_type is MessageType.ERROR:
                    raise RuntimeError(f"{member}: {answer.body}")
                return answer.body

            async def find():
                return (await ask(root, service, "SearchItems", "a{ss}", [{"service": "Loci"}]))[0]

            service = "org.freedesktop.Secret.Service"
            root = "/org/freedesktop/secrets"
            _, session = await ask(root, service, "OpenSession", "sv", ["plain", Variant("s", "")])
            found = []
            for path in await find():
                try:
                    attributes = (await ask(path, PROPERTIES, "Get", "ss", ["org.freedesktop.Secret.Item", "Attributes"]))[0]
                    secret = (await ask(path, "org.freedesktop.Secret.Item", "GetSecret", "o", [session]))[0]
                except RuntimeError:
                    # It may have been deleted since.
                    if path in await find():
                        raise
                    continue
                found.append((attributes.value, bytes(secret[2]).decode()))
            return found

        return self._run(read())


class Tray:
    """An icon in the tray, as the panel of a desktop would ask for it."""

    def __init__(self, session, name, path):
        self.session, self.name, self.path = session, name, path

    def _get(self, property):
        return self.session.call(self.name, self.path, PROPERTIES, "Get", "ss", [ITEM, property])[0].value

    def status(self):
        return self._get("Status")

    def label(self):
        return self._get("XAyatanaLabel")

    def picture(self):
        """The file of the icon, and its bytes."""
        file = pathlib.Path(self._get("IconName"))
        return file, file.read_bytes()

    def menu(self):
        """The items as they stand: label, whether it can be chosen, and the number by which it is."""
        layout = self.session.call(
            self.name, self._get("Menu"), MENU, "GetLayout", "iias", [0, -1, ["label", "enabled", "visible", "type"]],
        )[1]
        items = []
        for child in layout[2]:
            number, properties, _ = child.value
            value = lambda name, otherwise: properties[name].value if name in properties else otherwise  # noqa: E731
            if value("type", "standard") == "standard" and value("visible", True):
                items.append((value("label", "").replace("_", ""), value("enabled", True), number))
        return items

    def labels(self):
        return [label for label, _, _ in self.menu()]

    def choose(self, text):
        number = next(number for label, enabled, number in self.menu() if text in label and enabled)
        self.session.call(
            self.name, self._get("Menu"), MENU, "Event", "isvu", [number, "clicked", Variant("s", ""), 0],
        )
