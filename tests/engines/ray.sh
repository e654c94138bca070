#!/usr/bin/env bash
# Two replicas of this engine behind Ray Serve on this machine, driven over HTTP: nothing may be lost silently.
# In an environment of its own, so that the project's stays as it is pinned. RAY_VENV= names one that is there already.
set -euo pipefail
cd "$(dirname "$0")/../.."
VENV="${RAY_VENV:-.venv/ray}"
if [ ! -x "$VENV/bin/python" ]; then
  .venv/bin/python -m venv "$VENV"
  realpath .venv/lib/python3*/site-packages > "$(echo "$VENV"/lib/python3*/site-packages)/playground.pth"
fi
"$VENV/bin/python" -m pip install --disable-pip-version-check -q -c constraints.txt -c requirements.txt -r requirements-ray.txt
export OMP_NUM_THREADS="${OMP_NUM_THREADS:-1}" RAY_USAGE_STATS_ENABLED=0 TORCH_COMPILE_DISABLE=1
exec "$VENV/bin/python" -m tests.engines.ray_cluster --report tests/engines/ray-report.md
