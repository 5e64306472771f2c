# A standard environment on the host's bash and tools. What nixpkgs takes as variables of the build without a word (any
# argument) is here a list of those that the flake means: a misspelt one is an error.
{ system }:
let
  isLinux = builtins.match ".*-linux" system != null;
  shell = "/bin/bash";
  setup = derivation {
    name = "stand-in-stdenv";
    inherit system;
    builder = shell;
    args = [
      "-c"
      ''
        PATH=/usr/bin:/bin
        mkdir $out && cp ${./setup.sh} $out/setup
      ''
    ];
  };

  mkDerivation =
    {
      name,
      src ? null,
      nativeBuildInputs ? [ ],
      buildInputs ? [ ],
      dontUnpack ? false,
      dontGzipMan ? false,
      dontPatchELF ? false,
      dontPatchShebangs ? false,
      dontStrip ? false,
      dontFixup ? false,
      buildPhase ? null,
      installPhase ? null,
      shellHook ? null,
      outputHash ? null,
      outputHashAlgo ? null,
      outputHashMode ? null,
      impureEnvVars ? null,
      meta ? { },
      passthru ? { },
      __darwinAllowLocalNetworking ? false,
    }@given:
    let
      made = derivation (
        builtins.removeAttrs given [
          "meta"
          "passthru"
          "__darwinAllowLocalNetworking"
        ]
        // {
          inherit system;
          stdenv = setup;
          outputs = [ "out" ];
          builder = shell;
          args = [
            "-e"
            "-c"
            "source $stdenv/setup; genericBuild"
          ];
        }
      );
    in
    made // passthru // { inherit meta; };
in
setup
// {
  inherit mkDerivation shell;
  hostPlatform = {
    inherit system isLinux;
    isDarwin = !isLinux;
  };
  # The host's loader finds the host's libraries: there is nothing to patch.
  cc.cc.lib = mkDerivation {
    name = "stand-in-cc-lib";
    dontUnpack = true;
    installPhase = "mkdir $out";
  };
}
