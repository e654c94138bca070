"""What torch keeps once for a whole program: the global random state, the default type of a new tensor.

Loading a model sets them, while a compilation saves them and puts them back. So each of these holds the lock as it
works; rows and searches have generators of their own and never ask.
"""

import threading

GLOBAL_STATE = threading.Lock()
