"""The API that programs for OpenAI's know, `/v1/*`, on the port of the page, and what one Playground asks another.

Knows no Gradio and no page: who serves it hands in what streams a run.
"""
