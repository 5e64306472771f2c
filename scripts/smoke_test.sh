#!/usr/bin/env bash
# Check every part of the running stack: the one that NATS_URL and QSIM_GRPC name, else the one that `qiki up` runs.
# Options: --help. Exit status: 0 all passed, 1 not all, 2 no stack found.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
# In a container the Python on the path has it all; natively the project's environment may not be activated.
python=python
"$python" -Pc 'import qiki_harness' 2>/dev/null || python=$root/.venv/bin/python
[ "$python" = python ] || [ -x "$python" ] || { echo "smoke_test.sh: not installed: scripts/setup" >&2; exit 2; }
exec "$python" -P -m qiki_harness.smoke "$@"
