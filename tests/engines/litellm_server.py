"""Serves the page over the embedded model while another program's client runs: `litellm_server PYTHON SCRIPT`."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

from tests.ui.served import started

KEY = "sk-playground-0123456789abcdef"


def main(command: list[str]) -> int:
    """The client's exit code; it gets the address and the key in its environment."""
    with tempfile.TemporaryDirectory() as folder:
        keys = Path(folder) / "keys"
        keys.write_text(KEY)
        flags = ("--data-folder", folder, "--api-key-file", str(keys))
        with started("app.py", *flags, TORCH_COMPILE_DISABLE="1") as url:
            _wait(url)
            settings = {
                **os.environ,
                "PLAYGROUND_URL": f"{url}/v1",
                "PLAYGROUND_KEY": KEY,
                "LITELLM_LOCAL_MODEL_COST_MAP": "True",
            }
            return subprocess.run(command, env=settings, check=False, timeout=300).returncode


def _wait(url: str) -> None:
    """Until the model is loaded."""
    asked = urllib.request.Request(f"{url}/v1/models", headers={"Authorization": f"Bearer {KEY}"})
    for _ in range(600):
        try:
            urllib.request.urlopen(asked).close()
        except urllib.error.HTTPError as error:
            if error.code != 503:
                raise
            time.sleep(0.2)
        else:
            return
    raise TimeoutError("the model was not loaded")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
