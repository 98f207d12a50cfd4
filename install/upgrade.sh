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
  if [ "$(readlink "$lib/$1")" = "$target" ] && ! dry_run; then
    detail "$1 runs ${target#releases/} already"
  elif [ -n "$root" ] || dry_run; then
    switch_side "$1" "$target"
    dry_run && run systemctl restart "skerry-$1"
    return 0
  else
    switch_or_go_back "$1" "$target"
  fi
}

# switch_or_go_back SIDE TARGET: ends the script, with the former release running again, when the target does not come up.
switch_or_go_back() {
  former=$(readlink "$lib/$1")
  former_previous=$(readlink "$lib/previous-$1") || former_previous=
  detail "$1: from ${former#releases/} to ${2#releases/}"
  switch_side "$1" "$2"
  if restart_side "$1" && wait_until_up "$1"; then
    detail "$1 runs ${2#releases/}"
    return 0
  fi
  failure="the upgrade of $1 to ${2#releases/} failed ($(last_words "$1"))"
  detail "$1 did not come up: going back to ${former#releases/}"
  switch_side "$1" "$former"
  # What failed is nothing to go back to.
  if [ -n "$former_previous" ]; then point "$lib/previous-$1" "$former_previous"; else remove "$lib/previous-$1"; fi
  restart_side "$1" && wait_until_up "$1" ||
    fail "$failure, and ${former#releases/} does not come up either ($(last_words "$1")); journalctl -u skerry-$1 has the rest. Its pods go on"
  remove_old_releases
  fail "$failure, and ${former#releases/} runs again; journalctl -u skerry-$1 has the rest"
}
