# install.sh upgrade: the new release is laid beside, one side after the other is switched to it, and switched back if it does not come
# up. Containers are never stopped: they are no part of either side's process.
# shellcheck shell=sh disable=SC2154,SC2034

upgrade() {
  read_install_options "$@"
  hold_the_lock
  step check_this_machine
  step find_sides
  if [ "$SKERRY_ROLLBACK" != true ]; then
    step install_packages
    step stage_release
  fi
  # The master first: it serves agents that are one version older.
  for side in $sides; do step upgrade_side "$side"; done
  if [ "$SKERRY_ROLLBACK" != true ]; then
    step install_command
    step remove_old_releases
  fi
  end_install
}

find_sides() {
  sides=
  for side in ${SKERRY_SIDE:-master agent}; do
    if is_installed "$side"; then sides="$sides $side"; fi
  done
  [ -n "$sides" ] || problem "no ${SKERRY_SIDE:-side of Skerry} is installed on this machine: ./install.sh master, or ./install.sh agent, installs one"
  detail "installed:${sides:- nothing}"
}

upgrade_side() {
  if [ "$SKERRY_ROLLBACK" = true ]; then
    target=$(readlink "$lib/previous-$1") || { problem "there is no release to go back to: $lib/previous-$1 is missing"; return 0; }
  else
    target=releases/$release
  fi
  if [ "$(readlink "$lib/$1")" = "$target" ] && ! dry_run && { [ -n "$root" ] || systemctl is-active --quiet "skerry-$1"; }; then
    detail "$1 runs ${target#releases/} already"
  elif [ -n "$root" ] || dry_run; then
    switch_side "$1" "$target"
    [ -n "$root" ] || run systemctl restart "skerry-$1"
  else
    switch_or_go_back "$1" "$target"
  fi
}

# switch_or_go_back SIDE TARGET: ends the script, with the former release running again, when the target does not come up.
switch_or_go_back() {
  check_state_format "$1" "$2"
  if [ "$1" = agent ]; then
    if ! has_joined; then must_join=false; fi
    # Before anything stops it.
    if await_link && is_served agent; then must_link=true; fi
  fi
  former=$(readlink "$lib/$1")
  former_previous=$(readlink "$lib/previous-$1") || former_previous=
  if [ "$former" = "$2" ] && [ -n "$former_previous" ]; then
    # A run that was killed has switched, and has kept the state.
    former=$former_previous former_previous=
  else
    keep_state "$1" "$2"
  fi
  detail "$1: from ${former#releases/} to ${2#releases/}"
  switch_side "$1" "$2"
  if restart_side "$1" && wait_until_up "$1"; then
    remove "$state/.before-$1"
    detail "$1 runs ${2#releases/}"
    return 0
  fi
  failure="the upgrade of $1 to ${2#releases/} failed ($(last_words "$1"))"
  detail "$1 did not come up: going back to ${former#releases/}"
  must_link=false
  put_state_back "$1"
  put_config_back "$1"
  switch_side "$1" "$former"
  # What failed is nothing to go back to.
  if [ -n "$former_previous" ]; then point "$lib/previous-$1" "$former_previous"; else remove "$lib/previous-$1"; fi
  restart_side "$1" && wait_until_up "$1" ||
    fail "$failure, and ${former#releases/} does not come up either ($(last_words "$1")); journalctl -u skerry-$1 has the rest. Its pods go on"
  remove_old_releases
  fail "$failure, and ${former#releases/} runs again; journalctl -u skerry-$1 has the rest"
}

# --- state that the former release could not read (shared/state-format.ts) ------------------------------------------------------

# Of a release: the newest form of the state that it reads. Of a side: the form of what it has.
release_format() { cat "$lib/$1/STATE_FORMAT" 2>/dev/null || echo 1; }
side_format() {
  format=$(cut -d' ' -f1 "$state/$1/format" 2>/dev/null) || format=
  echo "${format:-0}"
}

check_state_format() {
  [ "$(release_format "$2")" -ge "$(side_format "$1")" ] ||
    fail "${2#releases/} cannot read the state of $1, which a newer release has written: nothing was changed; to go back all the same, put back a backup of $state/$1 from before"
}

# keep_state SIDE TARGET: a copy of the side's state, when the target will change its form. The side is stopped for it, its pods are not.
keep_state() {
  remove "$state/.before-$1" "$state/.before-$1.part"
  [ "$(release_format "$2")" -gt "$(side_format "$1")" ] && [ -d "$state/$1" ] || return 0
  detail "$1: its state gets a new form; a copy is kept until ${2#releases/} has come up"
  run systemctl stop "skerry-$1"
  try copy_state "$state/$1" "$state/.before-$1" && return 0
  remove "$state/.before-$1.part"
  systemctl start --no-block "skerry-$1"
  fail "the state of $1 could not be copied, as the line above says; it was not upgraded, and runs as before. Mend that (is the disk full?), then run the same command again"
}

# copy_state FROM TO: the name appears when all of it is on the disk. Logs and volumes of pods have no form of ours, and may be large.
copy_state() {
  mkdir -m 0700 "$2.part" || return 1
  for entry in "$1"/* "$1"/.[!.]*; do
    case ${entry##*/} in logs | pods) continue ;; esac
    [ -e "$entry" ] || continue
    cp -a -- "$entry" "$2.part/" || return 1
  done
  sync -f "$2.part" && mv -T -- "$2.part" "$2"
}

# put_state_back SIDE: what was kept, if the new release has changed the form. A master that lost writes so is told by its agents (epoch).
put_state_back() {
  [ -d "$state/.before-$1" ] || return 0
  run systemctl stop "skerry-$1"
  if ! cmp -s "$state/.before-$1/format" "$state/$1/format"; then
    detail "$1: its state from before the upgrade is put back"
    # The format goes last: a killed run is seen by it.
    for entry in "$state/$1"/* "$state/$1"/.[!.]*; do
      case ${entry##*/} in logs | pods | format) ;; *) remove "$entry" ;; esac
    done
    for entry in "$state/.before-$1"/* "$state/.before-$1"/.[!.]*; do
      case ${entry##*/} in format) ;; *) [ ! -e "$entry" ] || run cp -a -- "$entry" "$state/$1/" ;; esac
    done
    remove "$state/$1/format"
    [ ! -e "$state/.before-$1/format" ] || run cp -a -- "$state/.before-$1/format" "$state/$1/"
  fi
  remove "$state/.before-$1"
}
