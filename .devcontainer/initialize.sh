#!/bin/sh
# On the machine that opens the devcontainer, before it starts: write docker-compose.local.yml. It has the user's ids, so
# that the workspace can write the checkout, and the checkout as the sources of every other service.
# QIKI_DOCKER_SOCKET=auto puts the engine's socket into the workspace, a path another socket; by default there is none.
set -eu
folder=$(dirname "$0")
socket=${QIKI_DOCKER_SOCKET:-}
if [ "$socket" = auto ]; then
    socket=${DOCKER_HOST:-$(docker context inspect --format '{{.Endpoints.docker.Host}}' 2>/dev/null || true)}
    case $socket in
    unix://*) socket=${socket#unix://} ;;
    *) socket=/var/run/docker.sock ;;
    esac
    [ "$(uname)" = Linux ] || socket=/var/run/docker.sock # as it is called on the engine's own machine
fi
group=0 # Docker Desktop: the engine's own machine gives the socket to root's group
[ "$(uname)" != Linux ] || [ ! -S "$socket" ] || group=$(stat -Lc %g "$socket")
uid=$(id -u) gid=$(id -g)
groups='"${QIKI_GID:-1000}"' # of the stack: it may read the workspace's credentials
[ -z "$socket" ] || [ "$group" = 1000 ] || groups="$groups, \"$group\""
{
    cat <<YAML
# Made by initialize.sh at every start. Paths are relative to ../docker-compose.phase1.yml.
services:
YAML
    # The services run what is in the checkout: after an edit, `qiki restart SERVICE`.
    sed -n '/^services:/,/^[a-z]/s/^  \([a-z0-9-]*\):$/\1/p' "$folder/../docker-compose.phase1.yml" | grep -vx qiki-dev |
        while read -r service; do echo "  $service: {volumes: [\".:/workspace:ro\"]}"; done
    cat <<YAML
  qiki-dev:
    user: "$uid:$gid"
    build: {args: {QIKI_UID: "$uid", QIKI_GID: "$gid"}}
    group_add: [$groups]
YAML
    # The engine is for `qiki restart`, `docker` and the Containers extension. It gives the users of this container
    # power over the engine's machine.
    [ -z "$socket" ] || cat <<YAML
    volumes: ["$socket:/var/run/docker.sock"]
YAML
} >"$folder/docker-compose.local.yml"
