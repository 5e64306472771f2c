"""A compose stack of one's own, and what is told when it does not come up."""

import pytest

from qiki_harness.containers.stack import ContainerStack
from qiki_harness.errors import StackError

UNWELL = """
services:
  unwell:
    image: qiki-dtmp-runtime:{tag}
    pull_policy: never
    entrypoint: [sleep, "600"]
    init: true
    healthcheck: {{test: [CMD-SHELL, "echo it aches; exit 1"], interval: 100ms, retries: 2}}
"""


def test_a_start_that_fails_tells_what_the_probes_said(container_stack, tmp_path):
    file = tmp_path / "compose.yml"
    file.write_text(UNWELL.format(tag=container_stack.variables["QIKI_IMAGE_TAG"]))
    stack = ContainerStack(file, f"{container_stack.project}-unwell")
    try:
        with pytest.raises(StackError, match=r"unwell: probe from \S+ to \S+: it aches"):
            stack.up()
    finally:
        stack.stop()
