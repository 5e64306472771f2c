# All outputs for one system.
{
  lib,
  pkgs,
}:
let
  python = pkgs.python313;
  isLinux = pkgs.stdenv.hostPlatform.isLinux;
  sources = import ./sources.nix { inherit lib; };
  wheels = import ./wheels.nix { inherit lib pkgs python; };
  environments = import ./environments.nix {
    inherit
      lib
      pkgs
      python
      sources
      wheels
      ;
  };
  services = import ./services.nix {
    inherit
      lib
      pkgs
      sources
      environments
      ;
  };
  images = import ./images.nix {
    inherit
      lib
      pkgs
      python
      sources
      environments
      ;
  };
  tools = import ./tools.nix { inherit pkgs; };
in
{
  packages = {
    default = environments.runtime;
    inherit (environments) runtime dev nats-server;
  }
  // services
  // lib.optionalAttrs isLinux images;
  devShells = import ./shells.nix { inherit pkgs environments tools; };
  apps = import ./apps.nix {
    inherit
      lib
      pkgs
      sources
      environments
      services
      images
      ;
  };
  checks = import ./checks.nix { inherit lib pkgs sources environments; };
  formatter = pkgs.nixfmt-tree;
  manifest = import ./manifest.nix { inherit lib python wheels tools; };
}
