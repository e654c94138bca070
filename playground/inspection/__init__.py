"""What a finished run can tell: each token stage by stage, what other values would have drawn, what went wrong.

Knows no page.
"""
