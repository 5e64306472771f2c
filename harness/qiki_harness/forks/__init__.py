"""Fork servers: a service starts as the copy of a process that has imported what it needs.

    supervisor            forks, before it holds anything, the stack's fork server (server.py)
    └ fork server         imports (preload.py) while the broker starts, and forks each service (child.py)
    └ service             the supervisor's own child, as one that was started by exec

    warm server           imports once for all stacks of a process (warm.py), and forks their supervisors

Nothing that a user sees differs from a start by exec, which takes place where forking is not safe (safety.py), where
a service's environment or files are not those that were imported, and where QIKI_START=exec asks for it.
"""
