"""Playground: every sampling parameter of a language model as a knob. Sets what libraries read while being imported."""

import os
import sys

from playground.machine.allocator import limit_arenas

limit_arenas()
# torch's OpenMP runtime reads these once, when torch is imported. Idle threads that spin for long make generation 20
# times slower beside any other busy process; threads that sleep at once make it twice as slow: one token is some
# hundred small products in a row, and waking a thread for each takes as long as the product. So they spin for a few
# microseconds. GNU's runtime (torch on Linux) keeps to that count only under the policy "active" as soon as several
# threads of a program compute; LLVM's would then spin for ever, if KMP_BLOCKTIME did not say otherwise.
if sys.platform == "linux":
    os.environ.setdefault("KMP_BLOCKTIME", "0")
    os.environ.setdefault("GOMP_SPINCOUNT", "1000")
    os.environ.setdefault("OMP_WAIT_POLICY", "ACTIVE")
else:
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
# Nothing is reported to anybody, and nothing is looked up behind the user's back.
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
# transformers would ask the hub, in a thread, for a converted copy of every pickled checkpoint.
os.environ.setdefault("DISABLE_SAFETENSORS_CONVERSION", "1")
# Progress is reported in our own words, in the page and in the terminal.
os.environ.setdefault("TQDM_DISABLE", "1")
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
