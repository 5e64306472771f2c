"""Let the link to the project's sources follow QIKI_CHECKOUT; unset, that is /workspace, as in the images.

The backend links to the folder that it ran in, which for Nix is a folder of the build's own.
"""

import base64
import hashlib
import sys
from pathlib import Path

packages = Path(sys.argv[1])
(link,) = packages.glob("*qiki_dtmp.pth")
first, *others = link.read_text().splitlines()
parts = ["", *(f"/{Path(other).relative_to(first).as_posix()}" for other in sorted(others))]
link.write_text(
    f'import os, sys; sys.path.extend(map(os.environ.get("QIKI_CHECKOUT", "/workspace").__add__, {parts!r}))\n'
)

(record,) = packages.glob("qiki_dtmp-*.dist-info/RECORD")
digest = base64.urlsafe_b64encode(hashlib.sha256(link.read_bytes()).digest()).rstrip(b"=").decode()
lines = [line for line in record.read_text().splitlines() if not line.startswith(f"{link.name},")]
record.write_text("\n".join([*lines, f"{link.name},sha256={digest},{link.stat().st_size}", ""]))
