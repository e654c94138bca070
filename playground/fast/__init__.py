"""The fast path: many rows of many sessions in one running batch, over packed weights and compiled steps.

Close to the exact path and never called equal to it. Knows no request; the chain and the luck of a row are decoding's.
"""
