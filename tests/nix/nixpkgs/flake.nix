{
  description = "A stand-in for nixpkgs, on the host's tools: what the project's flake uses of it, and nothing else";

  outputs =
    { self }:
    let
      lib = import ./lib.nix;
      table = builtins.fromJSON (builtins.readFile ./attributes.json);
      host = builtins.fromJSON (builtins.readFile ./host.json);
    in
    {
      lib = builtins.intersectAttrs table.lib lib;
      legacyPackages = lib.genAttrs [ "x86_64-linux" "aarch64-linux" "aarch64-darwin" ] (
        system: import ./packages.nix { inherit lib system table host; }
      );
    };
}
