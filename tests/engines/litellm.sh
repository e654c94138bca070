#!/usr/bin/env bash
# litellm against `/v1/*` of a real Playground on the embedded model, in an environment of its own: what litellm brings
# along must not change the versions that the product is pinned to. `make test-engines` runs it.
# PLACE is where the environment is kept; the product's own Python starts the server.
set -euo pipefail
cd "$(dirname "$0")/../.."
place="${PLACE:-$PWD/.venv/litellm}"
version=1.110.2
python="$PWD/.venv/bin/python"
if ! "$place/bin/python" -c "import importlib.metadata as m; assert m.version('litellm') == '$version'" 2>/dev/null; then
  "$python" -m venv "$place"
  "$place/bin/python" -m pip install --quiet --disable-pip-version-check "litellm==$version"
fi
exec "$python" -m tests.engines.litellm_server "$place/bin/python" tests/engines/litellm_client.py
