"""How long the compose stack takes on images that are built: to all healthy, with nothing changed, to its end."""

import time
from collections.abc import Callable

from qiki_harness.containers import ContainerStack


def compose_times(stack: ContainerStack) -> tuple[float, float, float]:
    """Seconds until all is healthy, until `up` returns that finds nothing to do, and until all is gone."""
    try:
        return _timed(stack.up), _timed(stack.up), _timed(stack.down)
    except BaseException:
        stack.down()
        raise


def sizes_mb(stack: ContainerStack, base: str) -> dict[str, float]:
    """Sizes of the images above their base's [MB]; the broker's has none."""
    images = stack.containers.engine.images
    below = images.get(base).attrs["Size"]
    tag = stack.variables["QIKI_IMAGE_TAG"]
    return {
        kind: (images.get(f"qiki-dtmp-{kind}:{tag}").attrs["Size"] - base_size) / 1e6
        for kind, base_size in (("nats", 0), ("runtime", below), ("dev", below))
    }


def _timed(do: Callable[[], None]) -> float:
    began_s = time.perf_counter()
    do()
    return time.perf_counter() - began_s
