# What everything here consists of, as data: names and versions.
{
  lib,
  python,
  wheels,
  tools,
}:
let
  versions = lock: builtins.listToAttrs (map (wheel: lib.nameValuePair wheel.name wheel.version) (wheels.pinned lock));
in
{
  python = python.version;
  locks = lib.genAttrs [ "build" "runtime" "dev" ] versions;
  tools = builtins.mapAttrs (_: tool: tool.version) tools;
}
