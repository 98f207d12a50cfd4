# install.sh uninstall: Skerry's own things go, and nothing else.
# shellcheck shell=sh disable=SC2154,SC2034

uninstall() {
  read_install_options "$@"
  hold_the_lock
  step check_root
  question="Remove Skerry from this machine, with its pods and all its data?"
  [ "$SKERRY_KEEP_DATA" != true ] || question="Remove Skerry from this machine, and keep $state and $etc?"
  ask "$question" || { say "nothing was changed"; return 0; }
  joined=
  if has_joined && ! is_installed master; then joined=$(node_name); fi
  step stop_units
  step remove_pods
  step remove_units
  if [ "$SKERRY_KEEP_DATA" != true ]; then step remove_data; fi
  step remove_files
  if [ "$SKERRY_KEEP_DATA" != true ]; then step remove_user; fi
  [ -n "$root" ] || dry_run || rm -f /run/skerry-install.lock
  if dry_run; then
    say "this was a dry run: nothing was changed"
  elif [ "$changes" = 0 ]; then
    say "Skerry was not installed here: nothing was changed"
  else
    say "Skerry is removed from this machine$([ "$SKERRY_KEEP_DATA" != true ] || printf '; %s and %s are kept, and another install finds them' "$state" "$etc")"
    [ -z "$joined" ] || say "its master may still know the node; there: sudo skerry node remove $joined"
  fi
}

stop_units() {
  [ -z "$root" ] || return 0
  for side in agent master; do
    if dry_run || [ -e "$units_folder/skerry-$side.service" ]; then
      run systemctl --quiet disable --now "skerry-$side"
      dry_run || systemctl reset-failed "skerry-$side" 2>/dev/null || true
    fi
  done
}

# With the containers, links, rules, mounts and cgroups that carry the agent's id. While the data stay, so do the stopped containers.
remove_pods() {
  [ -z "$root" ] || return 0
  if ! dry_run && [ ! -e "$state/agent/id" ]; then
    detail "no agent has run here"
    return 0
  fi
  purge='--purge'
  [ "$SKERRY_KEEP_DATA" != true ] || purge=
  for program in "$lib/current/bin/skerry" "$here/bin/skerry" "$here/dist/skerry"; do
    [ ! -x "$program" ] || break
  done
  dry_run || [ -x "$program" ] ||
    fail "$lib/current/bin/skerry is gone, which would remove the pods of this machine: run the install.sh of an unpacked archive instead"
  # shellcheck disable=SC2086 # a flag, or nothing
  run "$program" down --data-dir "$state" $purge
}

remove_units() {
  remove "$root$units_folder/skerry-master.service" "$root$units_folder/skerry-agent.service"
  remove "$root/etc/systemd/system/multi-user.target.wants/skerry-master.service" "$root/etc/systemd/system/multi-user.target.wants/skerry-agent.service"
  [ -n "$root" ] || dry_run || systemctl daemon-reload
  [ -n "$root" ] || dry_run || remove_cgroups
}

# Monitors of the last containers may outlive the units that they were started in, and systemd leaves the cgroup of a unit that is gone.
remove_cgroups() {
  tries=0
  while [ "$tries" -lt 50 ] && [ -n "$(unit_cgroups)" ]; do
    [ "$tries" = 0 ] || sleep 0.1
    unit_cgroups | while read -r cgroup; do rmdir "$cgroup" 2>/dev/null || :; done
    tries=$((tries + 1))
  done
}

# In the one hierarchy, or in each of the old version.
unit_cgroups() {
  for cgroup in /sys/fs/cgroup/system.slice /sys/fs/cgroup/*/system.slice; do
    for side in agent master; do
      [ ! -d "$cgroup/skerry-$side.service" ] || echo "$cgroup/skerry-$side.service"
    done
  done
}

# What the user put into these folders stays, and then so do they.
remove_data() {
  remove "$state/master" "$state/agent" "$state/admin.kubeconfig" "$state/skerry.log" \
    "$state/.before-master" "$state/.before-master.part" "$state/.before-agent" "$state/.before-agent.part"
  remove "$etc/master.yaml" "$etc/agent.yaml" "$etc/admin.kubeconfig" "$etc/join-token" "$etc/release.pub"
  remove_empty_folder "$state"
  remove_empty_folder "$etc"
}

remove_files() {
  if is_our_command; then remove "$root/usr/bin/skerry"; fi
  remove "$root/usr/share/bash-completion/completions/skerry" "$root/usr/share/man/man1/skerry.1"
  remove "$lib"
  [ -n "$root" ] || remove /var/cache/skerry-install
  [ -n "$root" ] || remove_empty_folder /run/skerry
}

# Another user of that name stays: it was here before.
remove_user() {
  [ -z "$root" ] || return 0
  if dry_run || is_our_user; then run userdel skerry; fi
}

remove_empty_folder() {
  [ -d "$1" ] || return 0
  if dry_run; then
    run rmdir "$1"
  elif rmdir "$1" 2>/dev/null; then
    changes=$((changes + 1))
  else
    detail "$1 stays: it holds $(find "$1" -mindepth 1 -maxdepth 1 | head -n 3 | tr '\n' ' ')"
  fi
}
