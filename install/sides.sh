# The two sides of an installation, master and agent: each is a link to its release and a systemd unit, and is switched by itself.
# shellcheck shell=sh disable=SC2154,SC2034

# Where packages put units; what an administrator changes lies in /etc/systemd/system.
units_folder=/usr/lib/systemd/system

is_installed() { [ -L "$lib/$1" ]; }

# start_side SIDE: the side runs $release, with its configuration of now; it goes back by itself when that does not come up.
start_side() {
  before=$(readlink "$lib/$1" 2>/dev/null) || before=
  if [ -n "$root" ] || dry_run; then
    switch_side "$1" "releases/$release"
    [ -n "$root" ] || run systemctl restart "skerry-$1"
    enable_side "$1"
  elif [ "$before" = "releases/$release" ] && unit_is_current "$1" && is_fresh "$1"; then
    enable_side "$1"
    detail "skerry-$1 runs"
  elif ! has_run "$1"; then
    # There is nothing that could be gone back to.
    [ "$before" = "releases/$release" ] || remove "$lib/$1"
    switch_side "$1" "releases/$release"
    restart_side "$1" && wait_until_up "$1" || give_up "$1"
    enable_side "$1"
  elif [ "$before" = "releases/$release" ]; then
    switch_side "$1" "releases/$release"
    restart_side "$1" && wait_until_up "$1" || go_back_to_config "$1"
  else
    switch_or_go_back "$1" "releases/$release"
    enable_side "$1"
  fi
}

# An agent that waits for its first master has done nothing yet.
has_run() { systemctl is-enabled --quiet "skerry-$1" 2>/dev/null && { [ "$1" = master ] || has_joined; }; }

# switch_side SIDE TARGET: from the next start on. Remembers the release before.
switch_side() {
  now=$(readlink "$lib/$1" 2>/dev/null) || now=
  if [ -n "$now" ] && [ "$now" != "$2" ]; then point "$lib/previous-$1" "$now"; fi
  point "$lib/$1" "$2"
  make_folder "$root$units_folder" 0755
  copy_file "$lib/$2/systemd/skerry-$1.service" "$root$units_folder/skerry-$1.service" 0644
  [ -n "$root" ] || run systemctl daemon-reload
}

unit_is_current() { cmp -s "$lib/$1/systemd/skerry-$1.service" "$units_folder/skerry-$1.service"; }

# Whether the side runs, and has since its configuration was last changed. An agent with a token has yet to use it.
is_fresh() {
  [ "$1" != agent ] || [ ! -e "$token_file" ] || return 1
  systemctl is-active --quiet "skerry-$1" || return 1
  started=$(systemctl show -P ActiveEnterTimestamp "skerry-$1")
  changed=$(stat -c %Y "$etc/$1.yaml" 2>/dev/null || echo 0)
  [ "$changed" -le "$(date -d "$started" +%s)" ]
}

# Last: a unit that is enabled has run.
enable_side() {
  if [ -n "$root" ]; then
    make_folder "$root/etc/systemd/system/multi-user.target.wants" 0755
    point "$root/etc/systemd/system/multi-user.target.wants/skerry-$1.service" "$units_folder/skerry-$1.service"
  elif dry_run; then
    run systemctl enable "skerry-$1"
  else
    systemctl is-enabled --quiet "skerry-$1" || run systemctl --quiet enable "skerry-$1"
  fi
}

restart_side() {
  restarted=$(date +%s)
  former_pid=$(systemctl show -P MainPID "skerry-$1")
  systemctl reset-failed "skerry-$1" 2>/dev/null || true
  try systemctl restart --no-block "skerry-$1"
}

# --- health -------------------------------------------------------------------------------------------------------------------

# wait_until_up SIDE: whether it is up, twice in a row as the same process, within --timeout seconds.
wait_until_up() {
  waited=0
  healthy_pid=
  while [ "$waited" -lt "$SKERRY_TIMEOUT" ]; do
    sleep 1
    waited=$((waited + 1))
    [ "$waited" != 10 ] || detail "waiting for skerry-$1: $(last_words "$1")"
    case $(systemctl show -P SubState "skerry-$1") in
      auto-restart | failed | dead) [ "$waited" -lt 3 ] || return 1 ;;
      running)
        pid=$(systemctl show -P MainPID "skerry-$1")
        if [ "$pid" = "$former_pid" ]; then continue; fi
        if is_refused "$1" || { [ "$must_link" = true ] && ! is_served "$1"; }; then return 1; fi
        if is_healthy "$1"; then health=0; else health=$?; fi
        # As timeout(1) says it.
        [ "$health" != 124 ] || waited=$((waited + patience))
        if [ "$health" != 0 ]; then
          healthy_pid=
        elif [ "$pid" = "$healthy_pid" ]; then
          return 0
        else
          healthy_pid=$pid
        fi
        ;;
    esac
  done
  return 1
}

# An agent that the master refuses goes on asking; whoever has just given it a token is told at once.
is_refused() {
  case $(systemctl show -P StatusText "skerry-$1") in
    *'waiting to join: '*' refuses this device: '* | *'waiting to join: '*' join token '*) return 0 ;;
  esac
  return 1
}

# Seconds for an answer: one that takes a connection and then says nothing would be waited for beyond any --timeout.
patience=30

# The master answers, with what it knows; the agent has said that it is ready, and has joined.
is_healthy() {
  case $1 in
    master) timeout "$patience" "$lib/master/bin/skerry" get nodes --kubeconfig "$state/master/admin.kubeconfig" >/dev/null 2>&1 ;;
    agent) { has_joined || [ "$must_join" = false ]; } && { [ "$must_link" = false ] || has_link; } ;;
  esac
}

# Of an agent that is upgraded, no more is asked than it had before.
must_join=true
must_link=false
# A master that does not speak with this release still takes its connection; it will not change its mind.
is_served() { case $(systemctl show -P StatusText "skerry-$1") in *'does not serve this device'*) return 1 ;; esac; }
has_link() { timeout "$patience" "$lib/current/bin/skerry" status --local --data-dir "$state" >/dev/null 2>&1; }

# A link that is down for a moment, as when the master has just been upgraded, is back soon.
await_link() {
  has_joined && systemctl is-active --quiet skerry-agent || return 1
  waited=0
  until has_link; do
    if [ "$waited" -ge 15 ]; then
      detail "there is no link to a master now, and none is asked of the new release"
      return 1
    fi
    sleep 1
    waited=$((waited + 1))
  done
}

# The last thing that the side's present process said, without the frame of its log.
last_words() {
  if is_refused "$1"; then
    systemctl show -P StatusText "skerry-$1" | sed 's/.*waiting to join: //; s/^cannot join through [^ ]* yet: //'
    return 0
  fi
  # What a program said last may still be on its way to the journal when systemd knows already that it ended.
  journalctl --sync 2>/dev/null || :
  process="_SYSTEMD_INVOCATION_ID=$(systemctl show -P InvocationID "skerry-$1")"
  # One that ended at once may be followed by the next already, or be gone before the journal asked whose process it was.
  since="--unit skerry-$1 --identifier skerry --since @$restarted"
  # What a program says of its work is no reason, whenever it says so; nor is its farewell, which may reach the journal late.
  words=$(entries "$process" | grep -v "$of_work" | last_message)
  # shellcheck disable=SC2086
  [ -n "$words" ] || words=$(entries $since | grep -v "$of_work" | last_message)
  [ -n "$words" ] || words=$(entries "$process" | grep -v '"message":"stopping: ' | last_message)
  echo "${words:-it ended without a word: $(systemctl show -P Result "skerry-$1")}"
}

entries() { journalctl --quiet --no-pager -o cat -n 50 "$@" 2>/dev/null; }
of_work='"level":"info"\|^ready: '

# Without the frame of the log.
last_message() {
  sed -n 's/^<[0-9]>//; s/.*"message":"\(\([^"\\]\|\\.\)*\)".*/\1/; s/\\"/"/g; s/^skerry [a-z]*: //; s/; trying again in [0-9]* s$//; $p'
}

# A first start that failed: the unit stays, stopped and disabled, and the next run tries again. An agent whose master does not answer waits for it.
give_up() {
  reason=$(last_words "$1")
  if waits_for_master "$1"; then return 0; fi
  systemctl --quiet disable --now "skerry-$1" 2>/dev/null || true
  [ "$1" != agent ] || rm -f "$root$token_file"
  put_config_back "$1"
  fail "skerry-$1 did not come up: $reason; $(what_next "$reason")"
}

waits_for_master() {
  case $1.$(systemctl show -P SubState "skerry-$1") in agent.running | agent.start) ;; *) return 1 ;; esac
  if has_joined || is_refused "$1"; then return 1; fi
  detail "the agent runs but has not joined yet ($reason)"
  detail "it goes on trying, also after a reboot; journalctl -u skerry-agent -f shows it"
}

# go_back_to_config SIDE: what ran with other options runs with them again. It stays enabled: a device far away must come back.
go_back_to_config() {
  reason=$(last_words "$1")
  config_has_changed "$1" || fail "skerry-$1 does not come up: $reason; $(what_next "$reason")"
  detail "$1 did not come up: going back to its former options"
  put_config_back "$1"
  restart_side "$1" && wait_until_up "$1" ||
    fail "skerry-$1 does not come up, with these options ($reason) or the former ones ($(last_words "$1")); journalctl -u skerry-$1 has the rest. Its pods go on"
  fail "skerry-$1 did not come up with these options, and runs with the former ones again: $reason; $(what_next "$reason")"
}

what_next() {
  case $1 in
    /etc/skerry/*) echo "mend that, then run this again" ;;
    *'another hash'*) echo "the token is of another cluster: run this again with one of this master (skerry token create there)" ;;
    *'token is unknown'*) echo "it has expired, or was deleted: run this again with a new one (skerry token create on the master)" ;;
    *'token is for node "'*)
      name=${1#*'token is for node "'}
      echo "run this again with --node-name ${name%%\"*}, or with another token (skerry token create on the master)"
      ;;
    *[Tt]oken*) echo "run this again with a new token (skerry token create on the master)" ;;
    *'held by another device'*) echo "run this again with --node-name, or with the token that skerry node adopt prints on the master" ;;
    *) echo "mend that, then run this again" ;;
  esac
}
