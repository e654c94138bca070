"""The fast path: many rows of many sessions in one running batch, over packed weights and compiled steps.

Close to the exact path and never called equal to it. Knows no request; a row's samplers and noise belong to decoding.
"""
