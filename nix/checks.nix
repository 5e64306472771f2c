# What `nix flake check` proves, each in a sandbox without network.
{
  lib,
  pkgs,
  sources,
  environments,
}:
let
  check =
    name: command:
    pkgs.stdenvNoCC.mkDerivation {
      name = "qiki-check-${name}";
      src = sources.checked;
      nativeBuildInputs = [ environments.linked.dev ];
      # Tests start NATS and services on 127.0.0.1.
      __darwinAllowLocalNetworking = true;
      dontFixup = true;
      buildPhase = ''
        export HOME=$TMPDIR QIKI_CHECKOUT=$PWD LC_ALL=C.UTF-8 CI=1
        ${command}
      '';
      installPhase = "touch $out";
    };
  pytest = "pytest -q -p no:cacheprovider -n 2";
  # The wire from end to end, the streams, commands and refusals: some two minutes. All of them, kills too, are for `test`.
  integration = [
    "test_control_flow.py"
    "test_dead_letters.py"
    "test_event_ranges.py"
    "test_nats_js_init.py"
    "test_radar_flow.py"
    "test_radar_tracks_flow.py"
    "test_telemetry_flow.py"
  ];
in
builtins.mapAttrs check {
  unit = "${pytest} tests/unit";
  integration = "${pytest} -k 'not kill and not away' ${lib.concatMapStringsSep " " (file: "tests/integration/${file}") integration}";
  lint = ''
    ruff check --no-cache
    buf lint
    buf breaking --against protos/baseline.binpb
  '';
  formatting = "ruff format --no-cache --check";
  types = "mypy --cache-dir=/dev/null";
  storeys = "lint-imports --no-cache";
  stubs = "python scripts/gen_protos.py --check";
  documents = "python scripts/gen_docs.py --check";
}
