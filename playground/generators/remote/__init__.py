"""Engines behind the page, over HTTP: llama.cpp's server, OpenAI-compatible servers, and what each kind adds.

`opening.open_engine` finds out what answers at a URL; an adapter says what that kind honours and how it is asked.
"""
