"""Licences as SPDX expressions: which are allowed, for what services load and for tools."""

from license_expression import AND, OR, ExpressionError, get_spdx_licensing

from qiki_harness.errors import LockError

# Nobody who ships the product, or a service of his own beside it, comes under their terms.
PERMISSIVE = {
    "0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "ISC", "MIT", "MIT-0", "MIT-CMU", "PSF-2.0",
    "Zlib",
}  # fmt: skip
# Their terms end with their own files or programs: for tools, which no service loads.
TOOLS = PERMISSIVE | {"GPL-2.0-only", "GPL-2.0-or-later", "GPL-3.0-or-later", "MPL-2.0", "SSH-OpenSSH", "curl"}
_SPDX = get_spdx_licensing()


def allows(allowed: set[str], expression: str) -> bool:
    """Return whether an expression can be met by these licences; LockError if it is no SPDX expression."""
    try:
        return _met(allowed, _SPDX.parse(expression))
    except ExpressionError as error:
        raise LockError(f"{expression!r} is no SPDX expression: {error}") from None


def _met(allowed: set[str], node: object) -> bool:
    match node:
        case OR(args=args):
            return any(_met(allowed, each) for each in args)
        case AND(args=args):
            return all(_met(allowed, each) for each in args)
    return str(node) in allowed
