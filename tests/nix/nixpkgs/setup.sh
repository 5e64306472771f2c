# Variables, then phases, in the order and with the names of nixpkgs' stdenv.
PATH=/usr/bin:/bin
for input in ${nativeBuildInputs:-}; do
  PATH=$input/bin:$PATH
done
export PATH SOURCE_DATE_EPOCH=315532800
# The interpreter is the host's.
export PYTHONDONTWRITEBYTECODE=1

unpackPhase() {
  cp -r --no-preserve=mode,ownership "$src" source
  # The mode says which files are programs.
  (cd "$src" && find . -type f -perm -100) | (cd source && xargs -r -d '\n' chmod +x)
  cd source
}

runPhase() { # NAME: the derivation's own, else ours
  if [ -n "${!1:-}" ]; then eval "${!1}"; elif declare -F "$1" >/dev/null; then "$1"; fi
}

genericBuild() {
  set -o pipefail
  [ -n "${dontUnpack:-}" ] || runPhase unpackPhase
  runPhase buildPhase
  runPhase installPhase
}
