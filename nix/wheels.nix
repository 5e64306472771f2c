# The wheels of locks/wheels.json for one system, each fetched by its hash.
{
  lib,
  pkgs,
  python,
}:
let
  system = pkgs.stdenv.hostPlatform.system;
  listed = (lib.importJSON ../locks/wheels.json).wheels.${system};

  # The platforms stand in the file's name, and pip takes no other than those that it is told.
  platforms = file: lib.splitString "." (lib.last (lib.splitString "-" (lib.removeSuffix ".whl" file)));

  # pip asks the index that the user's environment names (docs/nix.md).
  fetch =
    {
      name,
      version,
      file,
      sha256,
      ...
    }:
    pkgs.stdenvNoCC.mkDerivation {
      name = file;
      outputHash = sha256;
      outputHashAlgo = "sha256";
      outputHashMode = "flat";
      nativeBuildInputs = [ python.pkgs.pip ];
      impureEnvVars = lib.fetchers.proxyImpureEnvVars ++ [
        "PIP_INDEX_URL"
        "PIP_EXTRA_INDEX_URL"
        "PIP_TRUSTED_HOST"
        "PIP_DEFAULT_TIMEOUT"
      ];
      dontUnpack = true;
      dontFixup = true;
      installPhase = ''
        export HOME=$TMPDIR PIP_CERT=${pkgs.cacert}/etc/ssl/certs/ca-bundle.crt
        if [ -r "''${NIX_SSL_CERT_FILE:-}" ]; then PIP_CERT=$NIX_SSL_CERT_FILE; fi
        # Empty is not unset.
        for setting in PIP_INDEX_URL PIP_EXTRA_INDEX_URL PIP_TRUSTED_HOST PIP_DEFAULT_TIMEOUT; do
          [ -n "''${!setting:-}" ] || unset "$setting"
        done
        pip download --quiet --disable-pip-version-check --no-cache-dir --no-deps --only-binary=:all: \
          --python-version ${python.pythonVersion} ${lib.concatMapStringsSep " " (tag: "--platform ${tag}") (platforms file)} \
          --dest fetched ${lib.escapeShellArg "${name}==${version}"}
        if [ ! -e fetched/${file} ]; then
          echo "${name}==${version} is $(ls fetched), and locks/wheels.json says ${file}" >&2
          exit 1
        fi
        mv fetched/${file} $out
      '';
    };
in
rec {
  # What a lock (build, runtime, dev) pins.
  pinned = lock: lib.filter (wheel: lib.elem lock wheel.locks) listed;
  # The shell command that makes a folder of wheels, as pip takes it.
  folder = chosen: ''
    mkdir wheels
    ${lib.concatMapStringsSep "\n" (wheel: "ln -s ${fetch wheel} wheels/${wheel.file}") chosen}
  '';
  requirements = lib.concatMapStringsSep " " (wheel: lib.escapeShellArg "${wheel.name}==${wheel.version}");
}
