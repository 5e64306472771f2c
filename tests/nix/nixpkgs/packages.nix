# `legacyPackages` of one system: exactly the attributes of attributes.json.
{
  lib,
  system,
  table,
  host,
}:
let
  stdenv = import ./stdenv.nix { inherit system; };
  inherit (stdenv) mkDerivation;

  built =
    name: rest: installPhase:
    mkDerivation (
      {
        inherit name installPhase;
        dontUnpack = true;
      }
      // rest
    );

  # A package is the host's programs of these names; one that the host lacks says so when it is called.
  package =
    attribute:
    { programs ? [ ], ... }:
    built "stand-in-${attribute}"
      {
        passthru.version = "0-stand-in";
        meta.mainProgram = if programs == [ ] then attribute else builtins.head programs;
      }
      ''
        mkdir -p $out/bin
        for program in ${toString programs}; do
          if there=$(PATH=/usr/local/bin:/usr/bin:/bin command -v $program); then
            ln -s $there $out/bin/$program
          else
            printf '#!/bin/sh\necho "%s: not on this host, and the stand-in has no other" >&2\nexit 127\n' $program >$out/bin/$program
            chmod +x $out/bin/$program
          fi
        done
      '';

  python =
    built "stand-in-python-${host.version}"
      {
        meta.mainProgram = "python3.13";
        passthru = {
          inherit (host) version;
          pythonVersion = "3.13";
          libPrefix = "python3.13";
          sitePackages = "lib/python3.13/site-packages";
          interpreter = "${python}/bin/python3.13";
          pkgs = { inherit pip; };
        };
      }
      ''
        mkdir -p $out/bin $out/lib
        for name in python python3 python3.13; do ln -s ${host.python} $out/bin/$name; done
        ln -s ${host.stdlib} $out/lib/python3.13
      '';
  pip = built "stand-in-pip" { } ''
    mkdir -p $out/bin $out/${python.sitePackages}
    ln -s ${host.pip} $out/${python.sitePackages}/pip
    printf '#!/bin/sh\nexec ${python}/bin/python3.13 -m pip "$@"\n' >$out/bin/pip
    chmod +x $out/bin/pip
  '';

  mkShellNoCC =
    {
      name ? "nix-shell",
      packages ? [ ],
      shellHook ? "",
    }:
    built name {
      nativeBuildInputs = packages;
      inherit shellHook;
    } "export >$out";

  writeShellApplication =
    {
      name,
      text,
      runtimeInputs ? [ ],
      runtimeEnv ? { },
      meta ? { },
      excludeShellChecks ? [ ],
    }:
    let
      script = ''
        #!/bin/bash
        set -o errexit
        set -o nounset
        set -o pipefail
        ${text}
      '';
    in
    built name { meta = { mainProgram = name; } // meta; } ''
      mkdir -p $out/bin
      printf %s ${lib.escapeShellArg script} >$out/bin/${name}
      chmod +x $out/bin/${name}
      bash -n $out/bin/${name}
      if command -v shellcheck >/dev/null; then shellcheck $out/bin/${name}; fi
    '';

  # The folder that becomes the topmost layer, beside a script that says that no image was made.
  streamLayeredImage =
    {
      name,
      architecture ? null,
      config ? { },
      contents ? [ ],
      created ? null,
      debug ? false,
      enableFakechroot ? false,
      extraCommands ? "",
      fakeRootCommands ? "",
      fromImage ? null,
      gid ? 0,
      gname ? "root",
      includeNixDB ? false,
      includeStorePaths ? true,
      layeringPipeline ? null,
      maxLayers ? 100,
      meta ? { },
      mtime ? null,
      passthru ? { },
      tag ? null,
      uid ? 0,
      uname ? "root",
    }:
    built "stream-${name}"
      {
        inherit meta;
        passthru = passthru // {
          imageName = name;
          imageTag = tag;
          layer = built "layer-${name}" { } ''
            mkdir $out && cd $out
            ${lib.concatMapStringsSep "\n" (one: "cp -rs --no-preserve=mode ${one}/. .") contents}
            chmod -R u+w .
            ${extraCommands}
          '';
          inherit config;
        };
      }
      ''
        printf '#!/bin/sh\necho "%s: the stand-in makes no images" >&2\nexit 1\n' ${name} >$out
        chmod +x $out
      '';

  cacert = built "stand-in-cacert" { } ''
    mkdir -p $out/etc/ssl/certs
    cp ${./ca-bundle.crt} $out/etc/ssl/certs/ca-bundle.crt
  '';

  link =
    path: program:
    built "stand-in-${baseNameOf path}-link" { } ''
      mkdir -p $out/${dirOf path}
      ln -s ${program} $out/${path}
    '';

  own = {
    inherit
      cacert
      mkShellNoCC
      stdenv
      writeShellApplication
      ;
    python313 = python;
    stdenvNoCC = builtins.removeAttrs stdenv [ "cc" ];
    dockerTools = {
      inherit streamLayeredImage;
      usrBinEnv = link "usr/bin/env" "/usr/bin/env";
    };
  };
in
builtins.mapAttrs (attribute: facts: own.${attribute} or (package attribute facts)) table.packages
