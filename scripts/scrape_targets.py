"""Print where the services of a native stack have their metrics, as Prometheus's `file_sd_configs` reads it.

python scripts/scrape_targets.py .qiki/default/stack.json > targets.json
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

BROKER = "nats"  # its monitoring is JSON
PORT = "_HTTP_PORT"


def targets(stack: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield each service's address, with the label that the dashboards know it by."""
    for name, service in stack["services"].items():
        ports = [port for variable, port in service["ports"].items() if variable.endswith(PORT) and name != BROKER]
        if ports:
            yield {"targets": [f"127.0.0.1:{port}" for port in ports], "labels": {"service": name}}


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python scripts/scrape_targets.py STACK_JSON")
    print(json.dumps(list(targets(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))), indent=1))
