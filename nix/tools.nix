# What the dev shell has beside the lock's tools.
{ pkgs }:
{
  inherit (pkgs)
    git
    curl
    docker-client
    docker-compose
    natscli
    grpcurl
    devcontainer
    shellcheck
    hadolint
    actionlint
    nixfmt
    ;
}
