#!/usr/bin/env bash
# Make generated/ (stubs and type stubs) from protos/.
#   scripts/gen_protos.sh           write them
#   scripts/gen_protos.sh --check   fail, and show the difference, if they are not what protos/ gives
set -euo pipefail
cd "$(dirname "$0")/.."
python=.venv/bin/python
[ -x "$python" ] && [ -z "${QIKI_WORKSPACE:-}" ] || python=python
exec "$python" scripts/gen_protos.py "$@"
