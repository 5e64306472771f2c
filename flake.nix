{
  description = "Digital twin of a small space vehicle: the same workspace, services and tests as the containers'";

  # The release that is tested; it ends with the year 2026. docs/nix.md says how to go to the next.
  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-26.05";

  outputs =
    { nixpkgs, ... }:
    let
      inherit (nixpkgs) lib;
      systems = [
        "x86_64-linux"
        "aarch64-linux"
        "aarch64-darwin"
      ];
      qiki = lib.genAttrs systems (
        system:
        import ./nix {
          inherit lib;
          pkgs = nixpkgs.legacyPackages.${system};
        }
      );
      each = output: lib.genAttrs systems (system: qiki.${system}.${output});
    in
    {
      packages = each "packages";
      devShells = each "devShells";
      apps = each "apps";
      checks = each "checks";
      formatter = each "formatter";
      # An output of a name that Nix does not know would be warned of.
      lib.manifest = each "manifest";
    };
}
