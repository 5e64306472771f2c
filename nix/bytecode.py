"""Lay out bytecode as PYTHONPYCACHEPREFIX has it: `bytecode.py CACHE SOURCES:PLACE…`; PLACE is where they are used."""

import os
import sys
from pathlib import Path

cache = Path(sys.argv[1])
for pair in sys.argv[2:]:
    sources, place = pair.split(":")
    for folder, below, files in os.walk(sources, followlinks=True):
        below[:] = sorted(set(below) - {"site-packages", "test"})
        if Path(folder).name != "__pycache__":
            continue
        target = cache / place.lstrip("/") / Path(folder).parent.relative_to(sources)
        target.mkdir(parents=True, exist_ok=True)
        for name in files:
            (target / name).symlink_to(Path(folder, name).resolve())
