# What the flake uses of nixpkgs' `lib`, to the same effect.
let
  inherit (builtins)
    concatStringsSep
    elemAt
    filter
    length
    listToAttrs
    map
    ;
  lib = rec {
    inherit (builtins) filter elem;
    nameValuePair = name: value: { inherit name value; };
    genAttrs = names: make: listToAttrs (map (name: nameValuePair name (make name)) names);
    mapAttrsToList = make: set: map (name: make name set.${name}) (builtins.attrNames set);
    optionals = condition: list: if condition then list else [ ];
    optionalAttrs = condition: set: if condition then set else { };
    concatMapStringsSep = between: make: list: concatStringsSep between (map make list);
    last = list: elemAt list (length list - 1);
    splitString = between: text: filter builtins.isString (builtins.split (escapeRegex between) text);
    escapeRegex = builtins.replaceStrings [ "." "+" ] [ "\\." "\\+" ];
    hasPrefix = prefix: text: builtins.substring 0 (builtins.stringLength prefix) text == prefix;
    removeSuffix =
      suffix: text:
      let
        kept = builtins.stringLength text - builtins.stringLength suffix;
      in
      if kept >= 0 && builtins.substring kept (-1) text == suffix then builtins.substring 0 kept text else text;
    escapeShellArg = text: "'${builtins.replaceStrings [ "'" ] [ "'\\''" ] (toString text)}'";
    importJSON = path: builtins.fromJSON (builtins.readFile path);
    makeBinPath = concatMapStringsSep ":" (package: "${package}/bin");
    getExe =
      package:
      "${package}/bin/${package.meta.mainProgram or (throw "getExe: ${package.name} has no meta.mainProgram")}";
    fetchers.proxyImpureEnvVars = [
      "http_proxy"
      "https_proxy"
      "ftp_proxy"
      "all_proxy"
      "no_proxy"
      "HTTP_PROXY"
      "HTTPS_PROXY"
      "FTP_PROXY"
      "ALL_PROXY"
      "NO_PROXY"
      "NIX_SSL_CERT_FILE"
    ];
    fileset = {
      unions =
        paths:
        map (
          path: if builtins.pathExists path then path else throw "lib.fileset.unions: ${toString path} does not exist"
        ) paths;
      toSource =
        {
          root,
          fileset,
        }:
        let
          kept = map toString fileset;
          fits = path: one: path == one || hasPrefix "${one}/" path || hasPrefix "${path}/" one;
        in
        builtins.path {
          name = "source";
          path = root;
          filter = path: _: builtins.any (fits path) kept;
        };
    };
  };
in
lib
