# What must be so before anything is changed. `skerry check` looks closer; this is what the script itself needs.
# shellcheck shell=sh disable=SC2154,SC2034

# A clock before this is wrong: certificates that are made by it have ended when it is right. 2026-01-01.
earliest_time=1767225600

check_this_machine() {
  check_root
  check_systemd
  check_folders
  check_places
  check_clock
  # Of a release that is there already, staging needs nothing more.
  [ -L "$lib/current" ] || check_space
  check_architecture
}

check_root() {
  is_root=true
  [ -z "$root" ] || return 0
  uid=$(id -u 2>/dev/null) || uid=unknown
  is_root=false
  [ "$uid" = 0 ] || { problem "this needs root: run it again with sudo"; return 0; }
  is_root=true
}

check_systemd() {
  [ -z "$root" ] || return 0
  [ -d /run/systemd/system ] ||
    problem "systemd does not run this machine: Skerry's services need it; without it, ./install.sh up starts a cluster in the background"
}

# Only what is there can be judged; a folder that lacks its parent is made.
check_folders() {
  # Others may not write there, and that has been said.
  [ "$is_root" = true ] || return 0
  for folder in "$root/etc" "$root/usr/lib" "$root/usr/bin" "$root/var/lib"; do
    while [ ! -d "$folder" ] && [ -n "$folder" ]; do folder=${folder%/*}; done
    [ -w "${folder:-/}" ] ||
      problem "${folder:-/} cannot be written to: it is on a read-only file system, or this user may not; make it writable (mount -o remount,rw), then run this again"
  done
}

# What lies where Skerry's own will lie, and is somebody else's.
check_places() {
  for folder in "$lib" "$etc" "$state"; do
    [ ! -e "$folder" ] || [ -d "$folder" ] || problem "$folder is there, and is no folder: move it away, then run this again"
  done
  command=$root/usr/bin/skerry
  if [ -e "$command" ] || [ -L "$command" ]; then
    is_our_command || problem "$command is there, and is not from this script: move it away, then run this again"
  fi
}

is_our_command() { [ "$(readlink "$root/usr/bin/skerry" 2>/dev/null)" = /usr/lib/skerry/current/bin/skerry ]; }

check_clock() {
  now=$(date +%s 2>/dev/null) || return 0
  [ "$now" -ge "$earliest_time" ] ||
    problem "the clock says $(date -u +%Y-%m-%d): certificates would be 'not yet valid'; set it (timedatectl set-ntp true, or date -s), then run this again"
}

check_space() {
  folder=$lib
  while [ ! -d "$folder" ] && [ -n "$folder" ]; do folder=${folder%/*}; done
  free_kib=$(df -Pk "${folder:-/}" 2>/dev/null | awk 'NR == 2 { print $4 }' 2>/dev/null) || return 0
  [ -z "$free_kib" ] || [ "$free_kib" -ge 307200 ] ||
    problem "only $((free_kib / 1024)) MB are free on the disk of $lib: 300 MB are needed; free some, then run this again"
}

check_architecture() {
  machine=$(uname -m 2>/dev/null) || return 0
  case $machine in
    x86_64) architecture=x64 ;;
    aarch64) architecture=arm64 ;;
    # A 32-bit system on a 64-bit kernel says aarch64, but its dpkg does not.
    armv7l) architecture=armv7 ;;
    *) problem "there is no Skerry for $machine: x86-64, arm64 and armv7 are what it runs on" ;;
  esac
  if [ "$architecture" = arm64 ] && [ "$(dpkg --print-architecture 2>/dev/null)" = armhf ]; then architecture=armv7; fi
}

# Pods and services of a cluster that has run have addresses of these ranges.
check_ranges() {
  [ -e "$state/master/initialised" ] || return 0
  check_range cluster-cidr clusterCidr 10.42.0.0/16 "$SKERRY_CLUSTER_CIDR"
  check_range node-cidr-mask-size nodeCidrMaskSize 24 "$SKERRY_NODE_CIDR_MASK_SIZE"
  check_range service-cidr serviceCidr 10.43.0.0/16 "$SKERRY_SERVICE_CIDR"
}

# check_range FLAG KEY DEFAULT VALUE
check_range() {
  # `skerry up` has no file of options.
  present=$(sed -n "s/^$2: *\"\{0,1\}\([^\" ]*\).*/\1/p" "$etc/master.yaml" 2>/dev/null) || :
  [ -z "$4" ] || [ "$4" = "${present:-$3}" ] ||
    problem "--$1 $4: this cluster has ${present:-$3}, and its pods and services have addresses of it; only a new cluster can have another (./install.sh uninstall, then install)"
}

# look_closer ROLE: what `skerry check` finds. Only before a first installation: what is installed may hold the ports that it asks for.
look_closer() {
  [ -z "$root" ] || return 0
  program=$lib/current/bin/skerry
  if dry_run; then
    program=$here/dist/skerry
    [ -x "$program" ] || program=$here/bin/skerry
    if [ ! -x "$program" ] || ! command -v readlink >/dev/null 2>&1; then
      detail "would run: skerry check --for $1"
      return 0
    fi
  elif is_installed master || is_installed agent; then
    return 0
  fi
  set -- --for "$1" ${SKERRY_LISTEN:+--listen "$SKERRY_LISTEN"} ${SKERRY_CLUSTER_CIDR:+--cluster-cidr "$SKERRY_CLUSTER_CIDR"} \
    ${SKERRY_SERVICE_CIDR:+--service-cidr "$SKERRY_SERVICE_CIDR"}
  findings=$("$program" check "$@") && fit=true || fit=false
  printf '%s\n' "$findings" | while IFS= read -r line; do case $line in ok\ *) ;; *) detail "$line" ;; esac; done
  [ "$fit" = true ] || [ "$SKERRY_IGNORE_CHECKS" = true ] ||
    problem "this machine is not fit: the errors above say why and what to do; to go on in spite of them: --ignore-checks"
}

# One at a time; the lock goes with the process.
hold_the_lock() {
  outlive_the_terminal
  if dry_run || [ -n "$root" ] || ! command -v flock >/dev/null 2>&1; then return 0; fi
  [ "$(id -u)" = 0 ] || return 0
  exec 9>/run/skerry-install.lock
  # Of one that was killed, what it had started may be at work for a moment yet.
  flock -n 9 || flock -w 10 9 || fail "another install.sh is at work on this machine: wait until it is done"
}

# A lost ssh connection, or `| head`, must not end it between two steps.
outlive_the_terminal() { trap '' HUP PIPE; }
