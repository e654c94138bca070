"""The promises of Playground, one test each."""

import playground  # noqa: F401 - sets the environment that torch reads, before any test imports torch
