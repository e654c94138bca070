"""The terminal's `batch` over the tiny random model and its fast path: `python -m tests.tiny_batch batch --task … `."""

from __future__ import annotations

import argparse
import sys

import torch

from playground.generators.local import LocalGenerator
from playground.types import Generator
from tests.scripted_batch import run
from tests.tiny import tiny_model


def load_tiny(_: argparse.Namespace) -> Generator:
    torch.set_num_threads(1)
    generator = LocalGenerator(tiny_model())
    generator._engine.running._decode_net.compiler = None  # this machine's processors belong to the test
    return generator


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:], load_tiny))
