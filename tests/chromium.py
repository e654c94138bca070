"""Makes sure of a Chromium and a font with Chinese characters for the browser tests; knows no test.

The ones on this machine; else, as root on a Debian-like system, apt's; else one line that says what to install.
`CHROMIUM` in the environment names another executable.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_MAC = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"


def find() -> str | None:
    """The executable of a Chromium on this machine."""
    chosen = os.environ.get("CHROMIUM")
    if chosen:
        return shutil.which(chosen)
    return next((path for name in (*_NAMES, _MAC) if (path := shutil.which(name))), None)


def has_chinese_font() -> bool:
    """macOS and Windows bring one; elsewhere fontconfig knows. Without fontconfig there is nothing to ask."""
    if sys.platform != "linux":
        return True
    if shutil.which("fc-list") is None:
        return False
    return bool(subprocess.run(["fc-list", ":lang=zh-cn"], capture_output=True, text=True, check=False).stdout.strip())


def ensure() -> int:
    """0 when both are there, installing them with apt if that is possible."""
    packages = [*([] if find() else ["chromium"]), *([] if has_chinese_font() else ["fontconfig", "fonts-noto-cjk"])]
    if not packages:
        print(f"Browser tests: {find()}")
        return 0
    words = " ".join(packages)
    as_root = hasattr(os, "geteuid") and os.geteuid() == 0
    if not (as_root and Path("/etc/debian_version").exists() and shutil.which("apt-get")):
        print(f"The browser tests need Chromium and a font with Chinese characters. Install: {words}", file=sys.stderr)
        return 1
    print(f"Browser tests: installing {words} with apt")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (
        ["apt-get", "update", "-q"],
        ["apt-get", "install", "-q", "-y", "--no-install-recommends", *packages],
    ):
        if subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, check=False).returncode:
            print(f"apt could not install them. Install: {words}", file=sys.stderr)
            return 1
    return 0 if find() and has_chinese_font() else 1


if __name__ == "__main__":
    sys.exit(ensure())
