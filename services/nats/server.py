"""The NATS server, and a watcher that writes its store to the disk, and ends it when a restart mends its store.

    python -IS services/nats/server.py nats-server -c services/nats/nats.conf --store_dir FOLDER

After a failed write the server stores nothing more, even when the disk has room again. When its health page shows a
write error and there is room, the watcher ends the server, and the restart policy starts it again. This process becomes
the server; the watcher is its child and ends with it.

When the file that NATS_PAGES names was replaced, the server reads its configuration again: the operators' pages have
their users there.

With `sync_interval: always` the server syncs the blocks of streams of `persist_mode: async` every two minutes only, and
never their configuration and their consumers, or the names of new folders. The watcher does it, so that a power
failure takes the last second of them at most.
"""

import contextlib
import os
import signal
import stat
import sys
import time
from operator import itemgetter
from pathlib import Path

OUTPUT = Path("/proc/self/fd/1")
LOG, LOG_BYTES = "server.log", 1 << 20
SYNC_S = 0.5  # from round to round: what was written behind one is safe after the next, within a second
LOOK_S = 1.0
GRACE_S = 5.0
ROOM_BYTES = 16 * 2**20  # free space that makes a restart worth while: two of the server's message blocks


def main(command: list[str]) -> None:
    """Fork the watcher, and become the server."""
    server = os.getpid()
    share_log(os.environ.get("NATS_LOG_DIR"))
    read_ns = modified_ns(os.environ.get("NATS_PAGES", ""))  # before the server reads it
    if os.fork() == 0:
        store = command[command.index("--store_dir") + 1]
        watch(server, f"http://127.0.0.1:{os.environ['NATS_HTTP_PORT']}", store, read_ns)
        os._exit(0)
    os.execvp(command[0], command)  # noqa: S606


def share_log(folder: str | None) -> None:
    """Share the server's log in a folder, for the registrar, which looks for refused clients.

    Where our output is a file, the folder gets a link to it; else a process copies what the server writes, to our
    output and to a file, which begins again when it is full.
    """
    if not folder:
        return
    log = Path(folder) / LOG
    log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if stat.S_ISREG(os.fstat(1).st_mode) and OUTPUT.exists():
        log.unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # a file system without links
            log.symlink_to(OUTPUT.resolve())
            return
    reading, writing = os.pipe()
    if os.fork() == 0:
        os.close(writing)
        copy(reading, log)
        os._exit(0)
    os.close(reading)
    os.dup2(writing, 1)
    os.dup2(writing, 2)
    os.close(writing)


def copy(source: int, log: Path) -> None:
    """Copy what comes until its end. A file that cannot be written is left out: the server must not wait."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)  # the last lines come after the server got it
    size = LOG_BYTES
    file = -1
    while text := os.read(source, 65_536):
        with contextlib.suppress(OSError):
            os.write(1, text)
        if size >= LOG_BYTES:
            with contextlib.suppress(OSError):  # else it is tried again
                file = _begin(log, file)
                size = 0
        with contextlib.suppress(OSError):
            size += os.write(file, text)


def _begin(log: Path, old: int) -> int:
    """Open a new file in place of the old one."""
    with contextlib.suppress(OSError):
        os.close(old)
    with contextlib.suppress(OSError):
        log.replace(log.with_suffix(".old"))
    return os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600)


def watch(server: int, nats_http: str, store: str, read_ns: int) -> None:
    """Look until the server is gone; end it when a restart mends it.

    Args:
        read_ns: time of the pages' file that the server has read
    """
    sys.path.append(str(Path(__file__).resolve().parents[2]))
    from qiki.runtime.probe import ask, health_page, write_error  # noqa: PLC0415 - the server starts without them
    from qiki.runtime.terminal import echo  # noqa: PLC0415

    synced_ns, look_s = 0, time.monotonic() + LOOK_S
    pages = os.environ.get("NATS_PAGES", "")
    while True:
        time.sleep(SYNC_S)
        if os.getppid() != server:  # the address may be another server's by now, and the process id too
            return
        if (found_ns := modified_ns(pages)) != read_ns:
            read_ns = found_ns
            with contextlib.suppress(ProcessLookupError):
                os.kill(server, signal.SIGHUP)  # it reads its configuration again
        synced_ns = sync(store, synced_ns)
        if time.monotonic() < look_s:
            continue
        look_s = time.monotonic() + LOOK_S
        if (error := write_error(ask(health_page(nats_http))[2])) and room(store) >= ROOM_BYTES:
            with contextlib.suppress(OSError):  # the log may have no room
                echo(f"nats: there is room again after: {error}; restarting the server", stream=sys.stderr)
            end(server)
            return


def sync(store: str, since_ns: int) -> int:
    """Sync what was written since a time, as a file system counts it; return the time for the next call."""
    newest_ns = since_ns
    for path, moment_ns in fresh(store, since_ns):
        newest_ns = max(newest_ns, moment_ns)
        _sync(path)
    return newest_ns


def fresh(store: str, since_ns: int) -> list[tuple[str, int]]:
    """Return the files and folders that were changed at a time or since, with the times, the newest first."""
    found = []
    for folder, _, files in os.walk(store):
        for path in (*(os.path.join(folder, name) for name in files), folder):  # noqa: PTH118 - each second, of all blocks
            with contextlib.suppress(OSError):  # a stream may go at any moment
                if (moment_ns := os.stat(path).st_mtime_ns) >= since_ns:  # noqa: PTH116
                    found.append((path, moment_ns))
    return sorted(found, key=itemgetter(1), reverse=True)


def modified_ns(path: str) -> int:
    """Return the time of a file's change; 0 without one."""
    try:
        return os.stat(path).st_mtime_ns  # noqa: PTH116
    except OSError:
        return 0


def _sync(path: str) -> None:
    with contextlib.suppress(OSError):
        file = os.open(path, os.O_RDONLY)
        try:
            os.fsync(file)
        finally:
            os.close(file)


def room(folder: str) -> int:
    """Return the free space of a folder's file system [byte]."""
    space = os.statvfs(folder)
    return space.f_bavail * space.f_frsize


def end(server: int) -> None:
    """Ask the server to end, and kill it after its grace."""
    end_s = time.monotonic() + GRACE_S
    with contextlib.suppress(ProcessLookupError):
        os.kill(server, signal.SIGTERM)
        while os.getppid() == server:
            time.sleep(0.1)
            if time.monotonic() > end_s:
                os.kill(server, signal.SIGKILL)


if __name__ == "__main__":
    main(sys.argv[1:])
