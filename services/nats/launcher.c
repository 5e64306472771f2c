/* The broker's launcher in C: server.py and qiki/runtime/probe.py in one static program, for the image without Python.
 *
 *     nats-launcher nats-server -c FILE --store_dir FOLDER     become the server, beside a watcher that is its child
 *     nats-launcher --probe URL [TOLERATED]                    the health check; URL is http://A.B.C.D:PORT/PATH
 *
 * What each part is for stands in the two Python modules; tests/integration/test_broker_launcher.py holds both to the
 * same. No memory is allocated, and what does not fit its place is an error or is cut off.
 */
#define _GNU_SOURCE

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum {
    SYNC_MS = 500,
    LOOK_MS = 1000,
    GRACE_MS = 5000,
    WAIT_MS = 1000,
    ANSWER_S = 2,
    POLL_MS = 50,
    ROOM_BYTES = 16 << 20, /* two of the server's message blocks */
    ANSWER_BYTES = 1 << 20,
    LOG_BYTES = 1 << 20,
};
static const char WRITE_ERROR[] = "write error: ";
static char answer[ANSWER_BYTES + 1];

static int64_t now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void pause_ms(int64_t time_ms) {
    struct timespec rest = {time_ms / 1000, time_ms % 1000 * 1000000};
    while (nanosleep(&rest, &rest) != 0 && errno == EINTR) continue;
}

/* The server of a URL, its path and its address as text; false where it is no such URL. */
static bool parse(const char *url, struct sockaddr_in *server, char address[64], const char **path) {
    const char *begin = strncmp(url, "http://", 7) == 0 ? url + 7 : url;
    *path = strchr(begin, '/');
    size_t length = *path != NULL ? (size_t)(*path - begin) : 0;
    if (length == 0 || length >= 64) return false;
    memcpy(address, begin, length);
    address[length] = '\0';
    char host[64];
    memcpy(host, address, length + 1);
    char *colon = strrchr(host, ':');
    if (colon == NULL) return false;
    *colon = '\0';
    char *end;
    unsigned long port = strtoul(colon + 1, &end, 10);
    if (*end != '\0' || port == 0 || port > UINT16_MAX) return false;
    *server = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    return inet_pton(AF_INET, host, &server->sin_addr) == 1;
}

static bool send_all(int connection, const char *text, size_t length) {
    while (length > 0) {
        ssize_t sent = send(connection, text, length, MSG_NOSIGNAL);
        if (sent <= 0) return false;
        text += sent;
        length -= (size_t)sent;
    }
    return true;
}

/* Read up to the end of the connection; the rest of an answer that is too long is left. */
static bool receive(int connection) {
    size_t length = 0;
    ssize_t came = 1;
    while (came > 0 && length < ANSWER_BYTES) {
        came = recv(connection, answer + length, ANSWER_BYTES - length, 0);
        if (came < 0) return false;
        length += (size_t)came;
    }
    answer[length] = '\0';
    return true;
}

/* Ask a URL; its answer is in `answer`. Returns 0 or the error's number. */
static int ask(const char *url) {
    struct sockaddr_in server;
    char address[64];
    const char *path;
    answer[0] = '\0';
    if (!parse(url, &server, address, &path)) return EINVAL;
    char question[512];
    int length = snprintf(question, sizeof question, "GET %s HTTP/1.0\r\nHost: %s\r\n\r\n", path, address);
    if (length < 0 || (size_t)length >= sizeof question) return EMSGSIZE;
    int connection = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connection < 0) return errno;
    const struct timeval patience = {.tv_sec = ANSWER_S};
    setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(connection, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience); /* connect's, too */
    bool done = connect(connection, (const struct sockaddr *)&server, sizeof server) == 0 &&
                send_all(connection, question, (size_t)length) && receive(connection);
    int error = done ? 0 : errno;
    close(connection);
    return error;
}

static bool is_200(void) {
    const char *status = strchr(answer, ' ');
    return status != NULL && strncmp(status, " 200 ", 5) == 0;
}

/* The answer without its head and the blanks around it. */
static char *body(void) {
    char *begin = strstr(answer, "\r\n\r\n");
    if (begin == NULL) return answer + strlen(answer);
    begin += strspn(begin, " \t\r\n");
    for (char *end = begin + strlen(begin); end > begin && strchr(" \t\r\n", end[-1]) != NULL;) *--end = '\0';
    return begin;
}

/* Ask until it is ready, was ready before or the wait is over; print the last answer. */
static int probe(const char *url, const char *tolerated) {
    int64_t end_ms = now_ms() + WAIT_MS;
    for (;;) {
        int error = ask(url);
        bool passed = error == 0 && is_200();
        const char *said = error == 0 ? body() : strerror(error);
        passed = passed || (error == 0 && tolerated[0] != '\0' && strstr(said, tolerated) != NULL);
        bool starting = error == ECONNREFUSED || strstr(said, "\"status\": \"starting\"") != NULL;
        if (passed || !starting || now_ms() >= end_ms) {
            printf(error == 0 ? "%s%s\n" : "%s: %s\n", error == 0 ? "" : url, said);
            return passed ? 0 : 1;
        }
        pause_ms(POLL_MS);
    }
}

/* Why a stream cannot be written, as the health page says it; NULL without an error. */
static const char *write_error(const char *page) {
    if (ask(page) != 0) return NULL;
    char *said = strstr(body(), WRITE_ERROR);
    if (said == NULL) return NULL;
    said[strcspn(said, "\"")] = '\0';
    for (char *colon; (colon = strstr(said, ": ")) != NULL;) said = colon + 2;
    return said;
}

static uint64_t room(const char *folder) {
    struct statvfs space;
    return statvfs(folder, &space) == 0 ? (uint64_t)space.f_bavail * space.f_frsize : 0;
}

static int64_t moment_ns(const struct stat *file) {
    return (int64_t)file->st_mtim.tv_sec * 1000000000 + file->st_mtim.tv_nsec;
}

/* The time of a file's change; 0 without one. */
static int64_t modified_ns(const char *path) {
    struct stat file;
    return path != NULL && stat(path, &file) == 0 ? moment_ns(&file) : 0;
}

static int open_folder(int parent, const char *name) {
    return openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* Sync the files and folders below that were changed at a time or since; return the newest time. Takes `place`. */
static int64_t sync_tree(int place, int64_t since_ns) {
    int64_t newest_ns = since_ns;
    DIR *folder = place >= 0 ? fdopendir(place) : NULL;
    if (folder == NULL) {
        if (place >= 0) close(place);
        return since_ns;
    }
    struct stat file;
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        const char *name = entry->d_name;
        if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0) continue;
        if (fstatat(dirfd(folder), name, &file, AT_SYMLINK_NOFOLLOW) != 0) continue; /* a stream may go at any moment */
        int64_t changed_ns = since_ns;
        if (S_ISDIR(file.st_mode)) {
            changed_ns = sync_tree(open_folder(dirfd(folder), name), since_ns);
        } else if (S_ISREG(file.st_mode) && moment_ns(&file) >= since_ns) {
            int opened = openat(dirfd(folder), name, O_RDONLY | O_CLOEXEC);
            if (opened < 0) continue;
            fsync(opened);
            close(opened);
            changed_ns = moment_ns(&file);
        }
        if (changed_ns > newest_ns) newest_ns = changed_ns;
    }
    if (fstat(dirfd(folder), &file) == 0 && moment_ns(&file) >= since_ns) {
        fsync(dirfd(folder));
        if (moment_ns(&file) > newest_ns) newest_ns = moment_ns(&file);
    }
    closedir(folder);
    return newest_ns;
}

/* Ask the server to end, and kill it after its grace. */
static void end(pid_t server) {
    int64_t end_ms = now_ms() + GRACE_MS;
    kill(server, SIGTERM);
    while (getppid() == server) {
        pause_ms(100);
        if (now_ms() > end_ms) kill(server, SIGKILL);
    }
}

/* Sync and look until the server is gone; end it when a restart mends it. `read_ns` is the time of the pages' file that
 * the server has read. */
static void watch(pid_t server, const char *port, const char *store, int64_t read_ns) {
    char page[128];
    snprintf(page, sizeof page, "http://127.0.0.1:%s/healthz?details=true", port);
    int64_t synced_ns = 0, look_ms = now_ms() + LOOK_MS;
    const char *pages = getenv("NATS_PAGES");
    for (;;) {
        pause_ms(SYNC_MS);
        if (getppid() != server) return; /* the address may be another server's by now, and the process id too */
        int64_t found_ns = modified_ns(pages);
        if (found_ns != read_ns) {
            read_ns = found_ns;
            kill(server, SIGHUP); /* it reads its configuration again */
        }
        synced_ns = sync_tree(open_folder(AT_FDCWD, store), synced_ns);
        if (now_ms() < look_ms) continue;
        look_ms = now_ms() + LOOK_MS;
        const char *error = write_error(page);
        if (error != NULL && room(store) >= ROOM_BYTES) {
            fprintf(stderr, "nats: there is room again after: %s; restarting the server\n", error);
            end(server);
            return;
        }
    }
}

/* Open a new log in place of the old one, which gets another name. */
static int begin_log(const char *log, int old) {
    char before[PATH_MAX];
    if (old >= 0) close(old);
    int stem = (int)(strlen(log) - strlen(".log"));
    if ((size_t)snprintf(before, sizeof before, "%.*s.old", stem, log) < sizeof before) rename(log, before);
    return open(log, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
}

/* Copy what comes, to our output and to the log. A log that cannot be written is left out: the server must not wait. */
static void copy(int source, const char *log) {
    static char text[65536];
    size_t size = LOG_BYTES;
    int file = -1;
    signal(SIGTERM, SIG_IGN); /* the last lines come after the server got it */
    signal(SIGINT, SIG_IGN);
    for (ssize_t came; (came = read(source, text, sizeof text)) != 0;) {
        if (came < 0 && errno == EINTR) continue;
        if (came < 0) return;
        ssize_t written = write(STDOUT_FILENO, text, (size_t)came);
        if (size >= LOG_BYTES) {
            file = begin_log(log, file);
            if (file >= 0) size = 0; /* else it is tried again */
        }
        written = file >= 0 ? write(file, text, (size_t)came) : -1;
        if (written > 0) size += (size_t)written;
    }
}

/* Let the server's log be read in a folder: a link to the file that our output is, or a copy of what comes. */
static bool share_log(const char *folder) {
    char log[PATH_MAX], output[PATH_MAX];
    struct stat out;
    if ((size_t)snprintf(log, sizeof log, "%s/server.log", folder) >= sizeof log) return false;
    mkdir(folder, 0700);
    ssize_t length = readlink("/proc/self/fd/1", output, sizeof output - 1);
    if (fstat(STDOUT_FILENO, &out) == 0 && S_ISREG(out.st_mode) && length > 0) {
        output[length] = '\0';
        unlink(log);
        if (symlink(output, log) == 0) return true; /* else a file system without links */
    }
    int ends[2];
    if (pipe(ends) != 0) return false;
    pid_t child = fork();
    if (child < 0) return false;
    if (child == 0) {
        close(ends[1]);
        copy(ends[0], log);
        _exit(0);
    }
    close(ends[0]);
    bool done = dup2(ends[1], STDOUT_FILENO) >= 0 && dup2(ends[1], STDERR_FILENO) >= 0;
    close(ends[1]);
    return done;
}

int main(int argc, char **argv) {
    if (argc >= 3 && strcmp(argv[1], "--probe") == 0) return probe(argv[2], argc > 3 ? argv[3] : "");
    const char *port = getenv("NATS_HTTP_PORT");
    const char *store = NULL;
    for (int i = 1; i + 1 < argc; i++) {
        if (strcmp(argv[i], "--store_dir") == 0) store = argv[i + 1];
    }
    if (port == NULL || store == NULL) {
        fputs("nats-launcher: expected NATS_HTTP_PORT, and nats-server … --store_dir FOLDER; or --probe URL\n", stderr);
        return 2;
    }
    pid_t server = getpid();
    const char *shared = getenv("NATS_LOG_DIR");
    if (shared != NULL && shared[0] != '\0' && !share_log(shared)) {
        fprintf(stderr, "nats-launcher: %s: %s\n", shared, strerror(errno));
        return 1;
    }
    int64_t read_ns = modified_ns(getenv("NATS_PAGES")); /* before the server reads it */
    switch (fork()) {
        case -1:
            perror("nats-launcher");
            return 1;
        case 0:
            watch(server, port, store, read_ns);
            return 0;
        default:
            execvp(argv[1], argv + 1);
            fprintf(stderr, "nats-launcher: %s: %s\n", argv[1], strerror(errno));
            return 127;
    }
}
