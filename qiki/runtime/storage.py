"""Write errors of NATS, from its health page: no connection shows them.

After a failed write a stream of nats-server 2.15 answers no publish any more, until the server is restarted.
"""

import json

_WRITE_ERROR = "write error: "


def health_page(nats_http: str) -> str:
    """Return the address of the broker's health page that lists every error."""
    return f"{nats_http.rstrip('/')}/healthz?details=true"


def write_error(page: str) -> str | None:
    """Return why a stream cannot be written, "" without an error; None if the page is not the broker's."""
    try:
        texts = [str(error["error"]) for error in json.loads(page).get("errors", [])]
    except (ValueError, LookupError, AttributeError, TypeError):
        return None
    return next((text.rpartition(": ")[2] for text in texts if _WRITE_ERROR in text), "")
