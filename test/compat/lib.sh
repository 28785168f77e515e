# Sourced by the scripts that run official clients: getting the clients from
# their registries, and the server.
#
# in:  job      the script's name, for messages
#      root     the checkout
#      work     a directory of the script's own that it removes at its end
#      CACHE    where clients are kept between runs
#      OSSA_BIN the server's binary; built from the checkout if unset
# out: python   directory of a virtual environment, after install_python
#      node     directory with node_modules, after install_node
#      $work/bin/sdkv1 and sdkv2, after build_go
#      ossa     path of the server's binary, after build_ossa

CACHE=${CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/ossa-compat}

cannot() {
  echo "$job: cannot run: $*" >&2
  exit 2
}

need() {
  local tool
  for tool in "$@"; do
    command -v "$tool" >/dev/null || cannot "$tool is not installed"
  done
}

# quietly runs a step of an installation and shows its output if it fails.
quietly() { # what-is-wrong-then command...
  local what=$1
  shift
  if ! "$@" >"$work/step" 2>&1; then
    tail -n 20 "$work/step" >&2
    cannot "$what"
  fi
}

# kept prints a directory of the cache that belongs to exactly these files.
kept() { # name files...
  local name=$1
  shift
  echo "$CACHE/$name-$(cat "$@" | sha256sum | cut -c1-16)"
}

# Installations wait for each other, since scripts share the cache.
locked() { # command...
  mkdir -p "$CACHE"
  exec 9>"$CACHE/lock"
  flock 9
  "$@"
  exec 9>&-
}

install_python() { locked make_python; }

make_python() {
  need python3
  local manifest=$root/test/compat/python/requirements.txt
  python3 --version >"$work/python-version"
  python=$(kept python "$work/python-version" "$manifest")
  [ -e "$python/.complete" ] && return 0
  echo "$job: installing oss2 and alibabacloud-oss-v2 from PyPI" >&2
  rm -rf "$python"
  quietly "python3 has no venv module (python3-venv on Debian)" python3 -m venv "$python"
  quietly "PyPI does not give what $manifest names" \
    "$python/bin/python" -m pip install --disable-pip-version-check --quiet -r "$manifest"
  touch "$python/.complete"
}

install_node() { locked make_node; }

make_node() {
  need node npm
  local manifests=$root/test/compat/js
  node --version >"$work/node-version"
  node=$(kept node "$work/node-version" "$manifests/package-lock.json")
  [ -e "$node/.complete" ] && return 0
  echo "$job: installing ali-oss from the npm registry" >&2
  rm -rf "$node"
  mkdir -p "$node"
  cp "$manifests/package.json" "$manifests/package-lock.json" "$node/"
  quietly "the npm registry does not give what $manifests/package-lock.json names" \
    npm ci --prefix "$node" --no-audit --no-fund --ignore-scripts
  touch "$node/.complete"
}

build_go() {
  need go
  mkdir -p "$work/bin"
  quietly "the Go module proxy does not give what test/compat/go/go.mod names, or it does not build" \
    env GOWORK=off go -C "$root/test/compat/go" build -mod=readonly -buildvcs=false -o "$work/bin/" ./sdkv1 ./sdkv2
}

build_ossa() {
  ossa=${OSSA_BIN:-}
  if [ -n "$ossa" ]; then
    [ -x "$ossa" ] || cannot "$ossa is no program"
    ossa=$(cd "$(dirname "$ossa")" && pwd)/$(basename "$ossa")
    return
  fi
  need go
  mkdir -p "$work/bin"
  ossa=$work/bin/ossa
  quietly "the server does not build" \
    env CGO_ENABLED=0 GOWORK=off go -C "$root" build -buildvcs=false -o "$ossa" ./cmd/ossa
}
