"""Messages that nobody could read: kept with the reason, counted, out of the way."""

from collections.abc import Mapping

from prometheus_client import Counter

from qiki.contracts.headers import MESSAGE_ID, ORIGIN_SEQUENCE, ORIGIN_SUBJECT, REASON
from qiki.contracts.topics import dead_letter_subject

DEAD_LETTERS = Counter("qiki_dead_letters_total", "Messages put aside as unreadable", ["stream"])
MAX_REASON = 500


def dead_letter(origin: str, stream: str, sequence: int, reason: str) -> tuple[str, Mapping[str, str]]:
    """Subject and headers of the dead letter of the message stored in `stream` at `sequence`.

    The same message again makes the same id, so that it is kept once.
    """
    DEAD_LETTERS.labels(stream).inc()  # not by subject: publishers choose as many as they like
    headers = {
        MESSAGE_ID: f"{stream}:{sequence}",
        REASON: " ".join(reason.split())[:MAX_REASON],
        ORIGIN_SUBJECT: origin,
        ORIGIN_SEQUENCE: str(sequence),
    }
    return dead_letter_subject(origin), headers
