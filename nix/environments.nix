# The environments, as virtual ones: as scripts/setup and the Dockerfile make them, from the same files.
{
  lib,
  pkgs,
  python,
  sources,
  wheels,
}:
let
  isLinux = pkgs.stdenv.hostPlatform.isLinux;

  # pip itself stays outside of what it installs into.
  install = target: ''
    ${target}/bin/python ${python.pkgs.pip}/${python.sitePackages}/pip --isolated install --quiet --disable-pip-version-check \
      --no-index --no-deps --no-compile --no-cache-dir --no-warn-script-location'';
  # In the store every file is of 1970: bytecode that asks the clock would be made anew at every start.
  compile = target: "${target}/bin/python -m compileall -q -j 0 --invalidation-mode unchecked-hash";

  # What a lock pins, alone.
  packages =
    lock:
    pkgs.stdenv.mkDerivation {
      name = "qiki-${lock}-packages";
      nativeBuildInputs = lib.optionals isLinux [ pkgs.autoPatchelfHook ];
      buildInputs = lib.optionals isLinux [
        pkgs.stdenv.cc.cc.lib
        pkgs.zlib
      ];
      dontUnpack = true;
      # All else stays as the wheels' RECORDs say.
      dontGzipMan = true;
      dontPatchELF = true;
      dontPatchShebangs = true;
      dontStrip = true;
      installPhase = ''
        ${wheels.folder (wheels.pinned lock)}
        ${python.interpreter} -m venv --without-pip $out
        ${install "$out"} --find-links wheels ${wheels.requirements (wheels.pinned lock)}
        ${compile "$out"} $out/${python.sitePackages}
      '';
    };
  locked = lib.genAttrs [ "build" "runtime" "dev" ] packages;

  # The project, built with its own backend: build_wheel a copy, build_editable a link to the sources.
  wheel =
    hook: source:
    pkgs.stdenvNoCC.mkDerivation {
      name = "qiki-${hook}";
      src = source;
      buildPhase = ''
        touch README.md # its text is in no package, so its change builds none
      '';
      installPhase = ''
        mkdir $out
        ${locked.build}/bin/python -c "import hatchling.build; hatchling.build.${hook}('$out')"
      '';
    };
  copy = wheel "build_wheel" sources.project;
  link = wheel "build_editable" sources.link;

  # The project beside what a lock pins, which lies in the store once.
  environment =
    name: lock: project: finish:
    pkgs.stdenvNoCC.mkDerivation {
      inherit name;
      dontUnpack = true;
      dontFixup = true;
      installPhase = ''
        ${python.interpreter} -m venv --without-pip $out
        ln -s ${locked.${lock}}/${python.sitePackages}/* $out/${python.sitePackages}/
        if [ -e ${locked.${lock}}/share ]; then ln -s ${locked.${lock}}/share $out/; fi
        for command in ${locked.${lock}}/bin/*; do
          case ''${command##*/} in
            python* | activate* | Activate*) ;;
            *)
              if [ "$(head -c 2 "$command" | tr -d '\0')" = '#!' ]; then
                sed "1,3s|${locked.${lock}}|$out|" "$command" >$out/bin/''${command##*/}
                chmod +x $out/bin/''${command##*/}
              else
                ln -s "$command" $out/bin/
              fi
              ;;
          esac
        done
        ${install "$out"} --find-links ${project} qiki-dtmp
        ${finish}
      '';
      meta.mainProgram = "qiki";
    };
  roots = [
    "generated"
    "qiki"
    "qiki_harness"
  ]
  ++ sources.services;
  copied =
    lock:
    environment "qiki-${lock}" lock copy ''
      ${compile "$out"} ${lib.concatMapStringsSep " " (root: "$out/${python.sitePackages}/${root}") roots}
      # Where the simulator looks for them: above the packages.
      ln -s ${sources.scenarios}/scenarios $out/lib/${python.libPrefix}/scenarios
    '';
  linked =
    lock:
    environment "qiki-${lock}-linked" lock link "$out/bin/python ${./link.py} $out/${python.sitePackages}";
in
{
  runtime = copied "runtime";
  dev = copied "dev";
  # On the sources that QIKI_CHECKOUT names: the dev shell, the images, the checks.
  linked = lib.genAttrs [ "runtime" "dev" ] linked;

  nats-server = pkgs.stdenvNoCC.mkDerivation {
    name = "nats-server";
    dontUnpack = true;
    dontFixup = true;
    installPhase = ''
      mkdir -p $out/bin
      ln -s ${locked.runtime}/bin/nats-server $out/bin/nats-server
    '';
    meta.mainProgram = "nats-server";
  };
}
