"""`python -m playground.deploy`: says in a sentence what is missing, before anything of Ray is imported."""

import sys
from importlib.util import find_spec

from playground.types import PlaygroundError

if __name__ == "__main__":
    if find_spec("ray") is None:
        sys.exit("Ray Serve is not installed here. Install it: pip install -r requirements-ray.txt -c constraints.txt")
    from playground.deploy.ray_serve import main

    try:
        main()
    except PlaygroundError as error:
        sys.exit(f"playground.deploy: {error.say('en')}")
