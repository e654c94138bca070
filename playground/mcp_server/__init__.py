"""The tools that agents get over the Model Context Protocol (MCP), drawn from the registry and the tasks.

Knows no page and no web server: whoever serves it hands in a `Runner`, which lets a request through its waiting line.
"""
