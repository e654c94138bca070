"""Opens the page: `python app.py --help` shows what can be chosen."""

# First, since it sets what torch and Gradio read while they are imported.
import playground  # noqa: F401
from playground.cli.terminal import prepare
from playground.leave import leave
from playground.ui.serve import main

if __name__ == "__main__":
    prepare()
    leave(main())
