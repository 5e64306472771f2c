# The dev shell: the workspace of the containers, on the checkout that it is entered in.
{ pkgs, environments, tools }:
let
  # No VIRTUAL_ENV and no PYTHONPATH: a tool must not install into the store, nor find another's packages.
  settings = ''
    unset PYTHONPATH VIRTUAL_ENV SOURCE_DATE_EPOCH
    export QIKI_CHECKOUT=$(git rev-parse --show-toplevel 2>/dev/null || pwd) QIKI_TOX_RUNNER=at-hand
  '';
  shell =
    hook:
    pkgs.mkShellNoCC {
      packages = [ environments.linked.dev ] ++ builtins.attrValues tools;
      shellHook = settings + hook;
    };
in
{
  default = shell ''
    hooks=$(git -C "$QIKI_CHECKOUT" rev-parse --git-path hooks/pre-commit 2>/dev/null) || hooks=
    if [ -n "$hooks" ] && [ ! -e "$hooks" ]; then
      (cd "$QIKI_CHECKOUT" && pre-commit install >&2) || echo "no hooks: this checkout cannot be written" >&2
    fi
    unset hooks
    cat >&2 <<'TEXT'
    qiki up      the whole stack, natively; Ctrl-C ends it (qiki doctor: what is missing here)
    pytest -q    all tests; `tox -e lint,type,unit`: the stages, one by one
    docs/nix.md  the rest: containers, images, the sandbox
    TEXT
  '';
  ci = shell "";
}
