"""The contract of generators and every knob, on real servers; vLLM where PLAYGROUND_TEST_VLLM names one.

`make test-engines` runs this. What was seen is kept, and the page of it is written anew.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.engines import report
from tests.engines.servers import transformers_serve


def main() -> int:
    with transformers_serve() as url, tempfile.TemporaryDirectory() as folder:
        found = str(Path(folder, "contract.xml"))
        contract = pytest("tests/test_generators.py", f"--junitxml={found}", PLAYGROUND_TEST_SERVE=url)
        report.keep_contract(Path(found))
    knobs = pytest("tests/engines", "-m", "engines")
    report.main()
    return contract or knobs


def pytest(*arguments: str, **more: str) -> int:
    return subprocess.call([sys.executable, "-m", "pytest", *arguments], env=os.environ | more)


if __name__ == "__main__":
    sys.exit(main())
