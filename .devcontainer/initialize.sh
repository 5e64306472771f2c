#!/bin/sh
# On the machine that opens the devcontainer, before it starts: who the workspace's user has to be, so that he can write
# the checkout, and where the engine is, so that he can ask it. QIKI_DOCKER_SOCKET names another socket; empty: none.
set -eu
socket=${DOCKER_HOST:-$(docker context inspect --format '{{.Endpoints.docker.Host}}' 2>/dev/null || true)}
case $socket in
unix://*) socket=${socket#unix://} ;;
*) socket=/var/run/docker.sock ;;
esac
group=0 # Docker Desktop: the engine's own machine gives the socket to root's group
if [ "$(uname)" = Linux ]; then
    [ ! -S "$socket" ] || group=$(stat -Lc %g "$socket")
else
    socket=/var/run/docker.sock # as it is called on the engine's own machine
fi
socket=${QIKI_DOCKER_SOCKET-$socket}
uid=$(id -u) gid=$(id -g)
{
    cat <<YAML
# Made by initialize.sh at every start.
services:
  qiki-dev:
    user: "$uid:$gid"
    build: {args: {QIKI_UID: "$uid", QIKI_GID: "$gid"}}
YAML
    # The engine is for `qiki restart`, `docker` and the Containers extension. It gives whoever is in this container
    # power over the engine's machine.
    [ -z "$socket" ] || cat <<YAML
    group_add: ["$group"]
    volumes: ["$socket:/var/run/docker.sock"]
YAML
} >"$(dirname "$0")/docker-compose.local.yml"
