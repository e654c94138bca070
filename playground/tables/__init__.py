"""Tables of strangers: CSV, XLSX and JSONL read row by row, each row whole or refused with its reason.

`reading.read` is what the worker process runs. Knows no task, no model and no page, and runs nothing that a file holds.
"""
