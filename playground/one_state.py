"""What torch keeps once for a whole program: the global random state, the default type of a new tensor.

`generate()` draws from the one and loading a model sets the other, while a compilation saves both and puts them back.
So each of these holds the lock as it works; rows have generators of their own and never ask.
"""

import threading

GLOBAL_STATE = threading.Lock()
