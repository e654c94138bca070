"""From what a person wrote to the token ids that the model reads: chat templates, control tokens, ids.

A text of a visitor never becomes a control token unless that was asked for; a template never runs in this process.
"""
