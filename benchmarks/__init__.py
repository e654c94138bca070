"""What is measured, and how. Each module prints its own table when it is run."""

import playground  # noqa: F401 - first, since it sets what torch reads while it is imported
