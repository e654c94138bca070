"""Playground: every sampling parameter of a language model as a knob. Sets what libraries read while being imported."""

import os

# Idle OpenMP threads that spin make generation 20 times slower beside any other busy process; torch's runtime reads
# this once, when torch is imported.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
# A few microseconds of spinning before a thread sleeps: one token is some hundred small products in a row, and waking
# a thread for each would take as long as the product.
os.environ.setdefault("GOMP_SPINCOUNT", "1000")
# Nothing is reported to anybody, and nothing is looked up behind the user's back.
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
# transformers would ask the hub, in a thread, for a converted copy of every pickled checkpoint.
os.environ.setdefault("DISABLE_SAFETENSORS_CONVERSION", "1")
# Progress is reported in our own words, in the page and in the terminal.
os.environ.setdefault("TQDM_DISABLE", "1")
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
