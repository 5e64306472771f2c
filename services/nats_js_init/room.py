"""The room that the streams reserve, and what the broker has of it."""

import json

from nats_js_init.settings import InitSettings
from nats_js_init.streams import plan
from qiki.runtime.probe import ask_in_loop

_MIB = 2**20


async def storage(settings: InitSettings) -> str:
    """Say what is needed, what is free, and what sets them."""
    reserved = {str(one.config.name): one.config.max_bytes or 0 for one in plan(settings)}
    each = ", ".join(f"{name} {_mib(size)}" for name, size in reserved.items())
    needed = f"needed: {_mib(sum(reserved.values()))} ({each}; the settings *_MAX_BYTES)"
    return f"{needed}; free: {await _free(settings)} (max_file_store of the broker, less what is reserved)"


async def _free(settings: InitSettings) -> str:
    if settings.nats_http is None:
        return "not known without NATS_HTTP, the broker's monitoring"
    passed, body = await ask_in_loop(f"{settings.nats_http}/jsz")
    try:
        page = json.loads(body)
        most, taken = int(page["config"]["max_storage"]), int(page["reserved_storage"])
    except (ValueError, KeyError, TypeError):
        return f"not known, the broker's monitoring says {body[:100]!r}" if passed else f"not known: {body[:200]}"
    return f"{_mib(max(most - taken, 0))} of {_mib(most)}"


def _mib(size: int) -> str:
    return f"{size / _MIB:.0f} MiB"
