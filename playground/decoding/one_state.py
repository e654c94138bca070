"""torch's one global random state, which `generate()` draws from and a compilation saves and puts back.

Whoever needs it for itself holds this; rows have generators of their own and never ask.
"""

import threading

GLOBAL_LUCK = threading.Lock()
