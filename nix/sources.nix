# What each output is made from: no other file's change builds it anew.
{ lib }:
let
  inherit (lib) fileset;
  select =
    files:
    fileset.toSource {
      root = ../.;
      fileset = fileset.unions files;
    };
  packages = [
    ../generated
    ../harness
    ../LICENSE
    ../pyproject.toml
    ../qiki
    ../services
  ];
  stack = packages ++ [
    ../docker-compose.phase1.yml
    ../scenarios
  ];
in
{
  # The services' packages: the folders of services/ that can be run.
  services = builtins.filter (name: builtins.pathExists (../services + "/${name}/__main__.py")) (
    builtins.attrNames (builtins.readDir ../services)
  );
  # What the broker's image has of ours.
  launcher = select [
    ../services/nats/launcher.c
    ../services/nats/nats.conf
  ];
  # For a link to the sources, in place of a copy of them.
  link = select [
    ../LICENSE
    ../pyproject.toml
  ];
  project = select packages;
  scenarios = select [ ../scenarios ];
  # What runs without a checkout.
  stack = select stack;
  # What an image has at /workspace.
  workspace = select (
    packages
    ++ [
      ../locks
      ../scenarios
    ]
  );
  # The smoke test.
  smoke = select (
    stack
    ++ [
      ../tests/conftest.py
      ../tests/smoke
    ]
  );
  # What is checked.
  checked = select (
    stack
    ++ [
      ../.devcontainer
      ../.github
      ../CHANGELOG.md
      ../Dockerfile
      ../README.md
      ../SECURITY.md
      ../buf.yaml
      ../docs
      ../flake.lock
      ../flake.nix
      ../locks
      ../protos
      ../scripts
      ../tests
      ../tox.ini
      ../toxfile.py
    ]
  );
}
