"""The table of compose keys: those that the native runner honours, and those that concern containers only.

A key in neither column is an error, so that nothing the file asks for is silently left out. Compose ignores keys that
begin with `x-`.
"""

from qiki_harness.compose.nodes import YamlNode

HONOURED = {
    "file": {"services", "volumes"},
    "service": {
        "command", "depends_on", "entrypoint", "env_file", "environment", "expose",
        "healthcheck", "ports", "restart", "stop_grace_period", "stop_signal", "volumes", "working_dir",
    },
    "healthcheck": {"disable", "interval", "retries", "start_interval", "start_period", "test", "timeout"},
    "dependency": {"condition"},
}  # fmt: skip

CONTAINER_ONLY = {
    "file": {"name", "networks", "secrets", "version"},
    "service": {
        "build", "cap_add", "cap_drop", "cgroup_parent", "container_name", "cpu_shares", "cpus", "cpuset", "dns",
        "group_add", "hostname", "image", "init", "ipc", "labels", "logging", "mem_limit", "mem_reservation",
        "memswap_limit", "network_mode", "networks", "oom_score_adj", "pids_limit", "platform", "pull_policy",
        "read_only", "security_opt", "shm_size", "stdin_open", "sysctls", "tmpfs", "tty", "ulimits", "user",
    },
    "healthcheck": set[str](),
    "dependency": set[str](),
}  # fmt: skip


def check(node: YamlNode, level: str) -> dict[str, YamlNode]:
    """Return the honoured entries of a mapping.

    Raises:
        ComposeError: a key is in neither column.
    """
    entries = node.entries()
    for key, value in entries.items():
        if key not in HONOURED[level] | CONTAINER_ONLY[level] and not key.startswith("x-"):
            value.fail("the native runner does not know this key (compose/keys.py has those that it knows)")
    return {key: value for key, value in entries.items() if key in HONOURED[level]}
