"""From the model's scores to a token of text. Knows no request, no page and no terminal.

Imports nothing here, so that the parts without torch (detokenize, words, notes) stay quick to load.
"""
