"""The contents of a recording on file."""

import contextlib

from pydantic import ValidationError

from qiki_harness.recording.contents import Contents, Summary
from qiki_harness.recording.layout import CONTENTS
from qiki_harness.recording.reader import Recording


def summarise(recording: Recording, *, again: bool = False) -> Summary:
    """Return the contents of a recording, as its writer has counted them.

    It is read where they are not there, and where a killed broker has lost messages that were counted.

    Args:
        again: read it in any case
    """
    written = None if again else recording.attachment(CONTENTS)
    if written is not None:
        with contextlib.suppress(ValidationError):
            summary = Summary.model_validate_json(written)
            if not summary.lost:
                return summary
    found = Contents()
    for one in recording.messages():
        found.add(one.message, one.came_ns, one.event_ns)
    for _, note in recording.notes():
        found.note(note)
    return found.summary()
