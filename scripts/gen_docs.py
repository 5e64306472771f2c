"""Write the documents that are made from the code, or check that they are fresh."""

import argparse
import sys
from pathlib import Path

from faststream_bridge.app import build

DOCS = Path(__file__).parent.parent / "docs"


def documents() -> dict[Path, str]:
    """Path to content of every generated document."""
    return {DOCS / "asyncapi.yaml": build(_unused).schema.to_specification().to_yaml()}


async def _unused(*_: object) -> None:
    """The application is only described here."""


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="only say whether the documents are fresh")
    check = parser.parse_args().check
    for path, content in documents().items():
        if check and (not path.exists() or path.read_text() != content):
            sys.exit(f"gen_docs: {path.relative_to(DOCS.parent)} is stale; run python scripts/gen_docs.py")
        if not check:
            path.write_text(content)


if __name__ == "__main__":
    main()
