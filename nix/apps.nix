# What `nix run .#NAME` does.
{
  lib,
  pkgs,
  sources,
  environments,
  services,
  images,
}:
let
  app = description: program: {
    type = "app";
    inherit program;
    meta = { inherit description; };
  };
  script = name: description: text: app description (lib.getExe (pkgs.writeShellApplication { inherit name text; }));
in
{
  up = script "qiki-up" "Start the whole stack, natively, and show its logs; Ctrl-C ends it" ''
    export QIKI_COMPOSE_FILE=''${QIKI_COMPOSE_FILE:-${sources.stack}/docker-compose.phase1.yml}
    export QIKI_RUN_DIR=''${QIKI_RUN_DIR:-$PWD/.qiki}
    exec ${environments.runtime}/bin/qiki up "$@"
  '';
  smoke = script "qiki-smoke" "Check every part of the stack: the one that NATS_URL and QSIM_GRPC name, else one of its own" ''
    export QIKI_CHECKOUT=${sources.smoke} PYTHONDONTWRITEBYTECODE=1
    cd ${sources.smoke}
    exec ${environments.linked.dev}/bin/pytest -q -p no:cacheprovider tests/smoke "$@"
  '';
  test = script "qiki-test" "Run the tests of the checkout that this is called in; arguments go to pytest" ''
    if ! grep -qs '^name = "qiki-dtmp"' pyproject.toml; then
      echo "qiki-test: this is no checkout of the project: $PWD" >&2
      exit 2
    fi
    export QIKI_CHECKOUT=$PWD PATH=${environments.linked.dev}/bin:$PATH
    exec pytest -q "$@"
  '';
}
// builtins.mapAttrs (name: service: app "Run ${name} alone, with the settings of the environment" (lib.getExe service)) services
// lib.optionalAttrs pkgs.stdenv.hostPlatform.isLinux {
  load-images = script "qiki-load-images" "Load the images into Docker, under the names that docker-compose.phase1.yml uses" ''
    tag=''${QIKI_IMAGE_TAG:-latest}
    ${images.image-nats} | docker load
    ${images.image-runtime} | docker load
    ${images.image-dev} | docker load
    if [ "$tag" != latest ]; then
      docker tag qiki-dtmp-nats:latest "qiki-dtmp-nats:$tag"
      docker tag qiki-dtmp-runtime:latest "qiki-dtmp-runtime:$tag"
      docker tag qiki-dtmp-dev:latest "qiki-dtmp-dev:$tag"
    fi
  '';
}
