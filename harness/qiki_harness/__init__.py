"""The harness: the stack runner, the `qiki` command and the tests' twin."""
