"""What messages hold; one that is wrong fails the check that reads it."""

from typing import TypeVar

from pydantic import ValidationError

from qiki.contracts.fields import Payload
from qiki_harness.smoke.check import CheckFailedError
from qiki_harness.smoke.inbox import Message

P = TypeVar("P", bound=Payload)


def read(model: type[P], message: Message) -> P:
    """The payload of a message.

    Raises:
        CheckFailedError: it is none; the text says where the message is, and the first fault.
    """
    try:
        payload: P = model.from_json(message.body)
    except ValidationError as error:
        fault = error.errors(include_url=False, include_context=False)[0]
        where = ".".join(str(part) for part in fault["loc"])
        raise wrong(message, f"no {model.__name__}: {where + ': ' if where else ''}{fault['msg']}") from None
    return payload


def header(message: Message, name: str) -> str:
    """A header of a message.

    Raises:
        CheckFailedError: it has none of that name.
    """
    if name not in message.headers:
        raise wrong(message, f"{name}: is missing")
    return message.headers[name]


def wrong(message: Message, problem: str) -> CheckFailedError:
    """That a message is not as it should be."""
    place = f", sequence {message.sequence}" if message.sequence else ""
    return CheckFailedError(f"{message.subject}{place}: {problem}")
