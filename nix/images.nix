# The three images of the Dockerfile, of the same names, layout and entry points: the compose file runs either.
{
  lib,
  pkgs,
  python,
  sources,
  environments,
}:
let
  # The sources, with bytecode: nothing writes there.
  workspace = pkgs.stdenvNoCC.mkDerivation {
    name = "qiki-workspace";
    src = sources.workspace;
    dontFixup = true;
    installPhase = ''
      cp -r . $out
      ${python.interpreter} -m compileall -q --invalidation-mode unchecked-hash -s $out -p /workspace $out
    '';
  };
  # PYTHONPYCACHEPREFIX is the only place where Python then looks for bytecode: links to what is in the store.
  bytecode = pkgs.stdenvNoCC.mkDerivation {
    name = "qiki-bytecode";
    dontUnpack = true;
    dontFixup = true;
    installPhase = ''
      ${python.interpreter} ${./bytecode.py} $out \
        ${environments.linked.dev}/${python.sitePackages}:/opt/qiki/${python.sitePackages} \
        ${environments.linked.dev}/${python.sitePackages}:${environments.linked.dev}/${python.sitePackages} \
        ${python}/lib/${python.libPrefix}:${python}/lib/${python.libPrefix}
    '';
  };
  shell = [
    pkgs.bashInteractive
    pkgs.coreutils
    pkgs.dockerTools.usrBinEnv
  ];
  base = ''
    mkdir -p -m 1777 tmp
    mkdir -p opt/qiki
  '';
  path = "PATH=/opt/qiki/bin:/bin";
  # Copied: a link to the server would bring the environment that it lies in.
  broker = pkgs.stdenv.mkDerivation {
    name = "qiki-broker";
    src = sources.launcher;
    dontFixup = true;
    buildPhase = ''
      cc -std=c17 -Os -o nats-launcher services/nats/launcher.c
    '';
    installPhase = ''
      mkdir -p $out/bin
      cp nats-launcher $out/bin/
      cp --dereference ${environments.nats-server}/bin/nats-server $out/bin/
    '';
  };
in
{
  image-nats = pkgs.dockerTools.streamLayeredImage {
    name = "qiki-dtmp-nats";
    tag = "latest";
    contents = [ ];
    extraCommands = ''
      mkdir -p -m 1777 tmp
      mkdir -p bin workspace/services/nats
      mkdir -p -m 777 data/jetstream data/nats-log keys/broker
      ln -s ${broker}/bin/* bin/
      cp ${sources.launcher}/services/nats/nats.conf workspace/services/nats/
    '';
    config = {
      Env = [ "PATH=/bin" ];
      WorkingDir = "/workspace";
      User = "1000:1000";
      Entrypoint = [ "nats-launcher" ];
    };
  };

  image-runtime = pkgs.dockerTools.streamLayeredImage {
    name = "qiki-dtmp-runtime";
    tag = "latest";
    contents = shell;
    # /data: a new volume takes the mode from here, whatever user the stack runs as.
    extraCommands = base + ''
      for volume in audit bridge sim; do mkdir -p -m 777 data/$volume; done
      ln -s ${environments.linked.runtime}/* opt/qiki/
      mkdir workspace
      cp -r --no-preserve=mode,ownership ${workspace}/. workspace
    '';
    config = {
      Env = [
        path
        "PYTHONUNBUFFERED=1"
      ];
      WorkingDir = "/workspace";
      User = "1000:1000";
      Cmd = [ "python" ];
    };
  };

  image-dev = pkgs.dockerTools.streamLayeredImage {
    name = "qiki-dtmp-dev";
    tag = "latest";
    contents = shell ++ [
      pkgs.bash-completion
      pkgs.cacert
      pkgs.curl
      pkgs.docker-client
      pkgs.docker-compose
      pkgs.findutils
      pkgs.git
      pkgs.gnugrep
      pkgs.gnused
      pkgs.less
      pkgs.openssh
      pkgs.procps
    ];
    # World-writable: the stack may be run as another user than the image was built for.
    extraCommands = base + ''
      ln -s ${environments.linked.dev}/* opt/qiki/
      cp ${../harness/qiki_harness/keeper.py} opt/qiki/keeper.py
      mkdir -p workspace var/cache etc
      mkdir -m 777 -p home/qiki
      cp -r --no-preserve=mode,ownership ${bytecode} var/cache/python
      find var/cache/python -type d -exec chmod 777 {} +
      echo 'root:x:0:0:root:/root:/bin/bash' >etc/passwd
      echo 'qiki:x:1000:1000:qiki:/home/qiki:/bin/bash' >>etc/passwd
      printf '%s\n' 'root:x:0:' 'qiki:x:1000:' >etc/group
      printf '[safe]\n\tdirectory = /workspace\n' >etc/gitconfig
    '';
    config = {
      Env = [
        path
        "HOME=/home/qiki"
        "SSL_CERT_FILE=/etc/ssl/certs/ca-bundle.crt"
      ]
      ++ lib.mapAttrsToList (name: value: "${name}=${value}") {
        HYPOTHESIS_STORAGE_DIRECTORY = "/home/qiki/.cache/hypothesis";
        MYPY_CACHE_DIR = "/home/qiki/.cache/mypy";
        PYTEST_ADDOPTS = "-o cache_dir=/home/qiki/.cache/pytest";
        PYTHONPATH = "/home/qiki/packages";
        PYTHONPYCACHEPREFIX = "/var/cache/python";
        PYTHONUNBUFFERED = "1";
        QIKI_RUN_DIR = "/home/qiki/.qiki";
        QIKI_TOX_RUNNER = "at-hand";
        QIKI_WORKSPACE = "1";
        RUFF_CACHE_DIR = "/home/qiki/.cache/ruff";
        TOX_WORK_DIR = "/home/qiki/.tox";
        VIRTUAL_ENV = "/opt/qiki";
      };
      WorkingDir = "/workspace";
      User = "1000:1000";
      Entrypoint = [
        "python"
        "/opt/qiki/keeper.py"
      ];
    };
  };
}
