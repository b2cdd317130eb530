"""A Wayland compositor of the tests' own. It draws, and hears its keys and its pointer, on one of their X displays."""

import pathlib
import subprocess
import tempfile

from .waiting import eventually, listens

CONFIG = """[core]
idle-time=0
[shell]
panel-position=none
background-color=0xff808080
locking=false
animation=none
startup-animation=none
close-animation=none
"""


class Compositor:
    """Weston as the one window of a display. `env` leads programs to it, `png` is what it shows."""

    def __init__(self, display):
        self.display = display
        self.folder = tempfile.TemporaryDirectory(prefix="loci-wayland-", ignore_cleanup_errors=True)
        root = pathlib.Path(self.folder.name)
        (root / "weston.ini").write_text(CONFIG)
        socket = root / "wayland"
        self.child = subprocess.Popen(
            [
                "weston", "--backend=x11-backend.so", "--use-pixman", "--width=1280", "--height=900",
                "--socket=wayland", f"--config={root / 'weston.ini'}",
            ],
            env={"PATH": "/usr/bin:/bin", "HOME": str(root), "XDG_RUNTIME_DIR": str(root), **display.env},
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        # The whole path: a session has another folder for what runs.
        self.env = {"WAYLAND_DISPLAY": str(socket), "GDK_BACKEND": "wayland", "XDG_RUNTIME_DIR": str(root)}
        try:
            eventually(lambda: listens(socket), "the compositor", 20)
        except AssertionError:
            self.close()
            raise

    def png(self):
        return self.display.png()

    def close(self):
        self.child.terminate()
        try:
            self.child.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait(timeout=20)
        self.folder.cleanup()
