"""The way of messages into streams."""

from qiki.errors import QikiError
from qiki.runtime.publish_window import PublishWindow


class RefusedError(QikiError):
    """A message that the server will never take."""


class Publisher(PublishWindow):
    """Messages into streams: in order within a stream, each once, sent again until it is stored."""
