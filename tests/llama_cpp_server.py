"""llama.cpp's own HTTP server in a process of its own: `python -m tests.llama_cpp_server 1 512`.

Arguments: how many texts it writes at once, the context of each in tokens, a GGUF file in place of the embedded one,
and a key where it wants one.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parent.parent


@contextmanager
def llama_cpp_server(slots: int = 1, context: int = 512, model: Path | None = None, key: str = "") -> Iterator[str]:
    """The URL of a server that runs as long as the block."""
    command = [sys.executable, "-m", "tests.llama_cpp_server", str(slots), str(context), str(model or ""), key]
    process = subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        assert process.stdout is not None and process.stdin is not None
        url = process.stdout.readline().strip()
        assert url.startswith("http://"), "llama.cpp's server did not start"
        yield url
    finally:
        process.kill()
        process.communicate()


def main() -> None:
    import xllamacpp

    from playground.models import embedded

    slots, context = int(sys.argv[1]), int(sys.argv[2])
    model, key = (*sys.argv[3:], "", "")[:2]
    given = xllamacpp.CommonParams()
    given.model.path = model or str(embedded.gguf_file())
    given.n_parallel, given.n_ctx, given.port = slots, slots * context, 0
    given.hostnames = ["127.0.0.1"]
    given.cpuparams.n_threads = given.cpuparams_batch.n_threads = 1
    given.endpoint_slots = given.use_jinja = True
    given.warmup = False
    if key:
        given.api_keys = [key]
    server = xllamacpp.Server(given)
    print(server.listening_address, flush=True)
    sys.stdin.read()  # until whoever started it is gone
    os._exit(0)


if __name__ == "__main__":
    main()
