"""Prompt lookup: what may come next, copied from an earlier place with the same tokens before it (Saxena 2023).

A guess costs a wider pass and decides nothing. Knows no model, no row and no text.
"""

from __future__ import annotations

import numpy as np

SHORTEST = 2  # tokens that must agree: single ones stand everywhere, and what follows them is anyone's guess


def propose(ids: np.ndarray, most: int) -> list[int]:
    """What followed when the longest ending of `ids` [length] stood before, the last time that it did.

    No more tokens than agreed, since a short agreement is often chance, and no more than `most`; none where fewer than
    SHORTEST agreed. Where the copy comes to the end of `ids` it goes on with what it copied, as a loop does.
    """
    if most < 1 or len(ids) <= SHORTEST:
        return []
    places, agreed = np.flatnonzero(ids[:-1] == ids[-1]), 1  # where the ending ends
    while len(places) and agreed < max(most, SHORTEST):
        longer = places[places >= agreed]
        longer = longer[ids[longer - agreed] == ids[-1 - agreed]]
        if not len(longer):
            break
        places, agreed = longer, agreed + 1
    if agreed < SHORTEST:
        return []
    start = int(places[-1]) + 1
    copied = ids[start : start + min(most, agreed)].tolist()
    return [copied[at % len(copied)] for at in range(min(most, agreed))]
