# The dev shell: the workspace of the containers, on the checkout that it is entered in.
{
  pkgs,
  environments,
  tools,
}:
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
    # The shell may be entered from another project's folder.
    if grep -qs '^name = "qiki-dtmp"' "$QIKI_CHECKOUT/pyproject.toml" && hooks=$(git rev-parse --git-path hooks 2>/dev/null); then
      if [ ! -e "$hooks/pre-commit" ]; then
        (cd "$QIKI_CHECKOUT" && pre-commit install >&2) || echo "no hooks: this checkout cannot be written" >&2
      fi
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
