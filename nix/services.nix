# Each service as a command of its own, with the settings that docker-compose.phase1.yml gives it by the environment.
{
  lib,
  pkgs,
  sources,
  environments,
}:
lib.genAttrs (map (builtins.replaceStrings [ "_" ] [ "-" ]) sources.services) (
  name:
  pkgs.writeShellApplication {
    inherit name;
    text = ''
      # One BLAS thread: the same bits whatever the number of cores.
      export OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 MKL_NUM_THREADS=1
      exec ${environments.runtime}/bin/python -m ${builtins.replaceStrings [ "-" ] [ "_" ] name} "$@"
    '';
  }
)
