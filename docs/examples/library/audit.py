"""Read an audit log: `python audit.py FOLDER`; without one that of the native stack `default`."""

import sys
from pathlib import Path

from qiki.audit import Query, find, verify

folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".qiki/default/data/audit")
report = verify(folder)
print(f"{report.records} records, {len(report.faults)} faults")
for _, record in find(folder, Query(severity="WARNING")):
    print(record["timestamp"], record["code"], record["source"], record["payload"])
