# install.sh master and install.sh agent. Each may be run again: what is so already is left as it is.
# shellcheck shell=sh disable=SC2154,SC2034

install_master() {
  read_install_options "$@"
  [ -z "$root" ] || misuse "--root is for agents: a master is installed where it runs"
  step check_ranges
  begin_install
  if [ "$SKERRY_WITH_AGENT" = true ]; then step look_closer both; else step look_closer master; fi
  step make_user
  step make_state_folders master
  step configure master
  step start_side master
  step link_kubeconfig
  if [ "$SKERRY_WITH_AGENT" = true ]; then
    step make_state_folders agent
    step make_token_for_this_machine
    step configure agent
    step start_side agent
    step forget_token
  fi
  step remove_old_releases
  end_install
  print_join_command
}

install_agent() {
  read_install_options "$@"
  step check_join_options
  begin_install
  step look_closer agent
  step make_state_folders agent
  step keep_token
  step configure agent
  step start_side agent
  step forget_token
  step remove_old_releases
  end_install
  if [ -z "$root" ] && ! dry_run && [ "$changes" != 0 ] && has_joined; then say_what_joined; fi
}

say_what_joined() {
  printf '%s\n' "
This device is node $(node_name) of the master at $(sed -n 's/^server: *"\{0,1\}\([^" ]*\)"\{0,1\}.*/\1/p' "$etc/agent.yaml").
See how it does:     sudo skerry status     (all of the cluster: on the master)"
}

begin_install() {
  hold_the_lock
  step check_this_machine
  step install_packages
  step stage_release
  step install_command
}

end_install() {
  if dry_run; then
    say "this was a dry run: nothing was changed"
  elif [ "$changes" = 0 ]; then
    say "all of it was so already: nothing was changed"
  fi
}

# --- packages -----------------------------------------------------------------------------------------------------------------

# What pods need, and what the programs call: command=package.
runtime_packages='podman=podman runc=runc nft=nftables ip=iproute2 conntrack=conntrack unshare=util-linux mount=mount hostname=hostname systemd-notify=systemd'

install_packages() {
  [ -z "$root" ] || return 0
  missing=
  for pair in $runtime_packages; do
    command -v "${pair%%=*}" >/dev/null 2>&1 || missing="$missing ${pair#*=}"
  done
  if [ -z "$missing" ]; then
    detail "all of them are there"
  elif [ "${SKERRY_PACKAGES:-$(default_packages)}" = require ]; then
    problem "these packages are missing:$missing; install them (apt-get install -y$missing), or let this script do it (--packages install)"
  elif dry_run; then
    detail "would run: apt-get install -y --no-install-recommends$missing"
    command -v apt-get >/dev/null 2>&1 || problem "there is no apt-get here to install them:$missing"
  else
    changes=$((changes + 1))
    apt_install "$missing"
  fi
}

# An archive is installed without any network.
default_packages() {
  if [ "$(release_source)" = clone ]; then echo install; else echo require; fi
}

# --- the command --------------------------------------------------------------------------------------------------------------

# /usr/bin/skerry, its completion and its manual, all of the newest release.
install_command() {
  point "$lib/current" "releases/$release"
  make_folder "$root/usr/bin" 0755
  point "$root/usr/bin/skerry" /usr/lib/skerry/current/bin/skerry
  install_beside completion/skerry.bash "$root/usr/share/bash-completion/completions" skerry
  install_beside man/skerry.1 "$root/usr/share/man/man1" skerry.1
  make_way "$etc"
  keep_public_key
}

install_beside() {
  if ! dry_run && [ ! -e "$lib/current/$1" ]; then return 0; fi
  make_folder "$2" 0755
  copy_file "$lib/current/$1" "$2/$3" 0644
}

# --- users, folders, configuration ----------------------------------------------------------------------------------------------

# The home of the user that is made here, and of no other: uninstall knows it by that.
user_home=/var/lib/skerry/master

make_user() {
  if id -u skerry >/dev/null 2>&1; then
    is_our_user || dry_run || detail "there is a user skerry already: the master runs as that"
    return 0
  fi
  # A group of that name that somebody else made is not this user's own, or it would go with it; the unit names it.
  if getent group skerry >/dev/null 2>&1; then set -- --gid nogroup; else set -- --user-group; fi
  run useradd --system "$@" --no-create-home --home-dir "$user_home" --shell /usr/sbin/nologin skerry
}

is_our_user() { [ "$(getent passwd skerry 2>/dev/null | cut -d: -f6)" = "$user_home" ]; }

make_state_folders() {
  make_way "$state"
  if [ "$1" = agent ]; then
    make_folder "$state/agent" 0700
  else
    make_folder "$state/master" 0700 skerry:skerry
    own_master_state
  fi
}

# A master that root ran from a clone left files of root.
own_master_state() {
  dry_run && return 0
  [ -z "$(find "$state/master" ! -user skerry 2>/dev/null | head -n 1)" ] || run chown -R skerry:skerry "$state/master"
}

configured=

# configure SIDE: /etc/skerry/SIDE.yaml: made from the commented example unless it is there; then what was given as options is set in it.
configure() {
  file=$etc/$1.yaml
  configured=$1
  config_before=
  [ ! -e "$file" ] || config_before=$(config_text "$1")
  config_keys "$1"
  # The file may be gone once the device has joined.
  if [ "$1" = agent ]; then add_key tokenFile "$token_file"; fi
  if [ -e "$file" ]; then
    detail "$file is there, and stays as it is but for the options given here"
    [ -z "$config_lines" ] || write_config "$file" "$file" "$(stat -c %a "$file" 2>/dev/null)"
  else
    write_config "$lib/current/config/$1.yaml" "$file" 0644
  fi
}

# write_config FROM TO MODE: the text of FROM with $config_lines.
write_config() {
  if dry_run; then
    [ "$1" = "$2" ] || detail "would write: $2 (mode $3)"
    [ -z "$config_lines" ] || printf '%s\n' "$config_lines" | while IFS= read -r line; do detail "would set in $2: $line"; done
    return 0
  fi
  rm -f "$2.part"
  (umask 077 && with_config_lines "$1" >"$2.part") || { rm -f "$2.part"; stopped "writing $2"; }
  [ -z "$root" ] || check_config "$2.part"
  place_file "$2" "$3"
}

# check_config FILE: what no start will say in an image of a disk. A program reads its options, which may end it with 2, before it looks for its data.
check_config() {
  refusal=$("$lib/current/bin/skerry" "$configured" --config "$1" --data-dir /dev/null/none 2>&1) && return 0
  [ $? = 2 ] || return 0
  rm -f "$1"
  misuse "$(printf '%s\n' "$refusal" | sed "s/^skerry [a-z]*: //; s/\.part:/:/"); mend that, then run this again"
}

config_text() { cat "$etc/$1.yaml" 2>/dev/null && echo .; }

# Whether this run has given the side other options.
config_has_changed() { [ "$configured" = "$1" ] && [ "$(config_text "$1")" != "$config_before" ]; }

# put_config_back SIDE: what configure found.
put_config_back() {
  config_has_changed "$1" || return 0
  file=$etc/$1.yaml
  if [ -n "$config_before" ]; then
    printf '%s' "${config_before%.}" | write_file "$file" "$(stat -c %a "$file")"
  else
    remove "$file"
  fi
}

# --- tokens -------------------------------------------------------------------------------------------------------------------

token_file=/etc/skerry/join-token

has_joined() { [ -e "$state/agent/enrolment.json" ]; }
node_name() { sed -n 's/.*"nodeName": *"\([^"]*\)".*/\1/p' "$state/agent/enrolment.json" | head -n 1; }

check_join_options() {
  if [ -n "$SKERRY_TOKEN_FILE" ]; then
    [ -r "$SKERRY_TOKEN_FILE" ] && [ ! -d "$SKERRY_TOKEN_FILE" ] || { problem "--token-file $SKERRY_TOKEN_FILE cannot be read"; return 0; }
    read -r SKERRY_TOKEN <"$SKERRY_TOKEN_FILE" || [ -n "$SKERRY_TOKEN" ] || problem "--token-file $SKERRY_TOKEN_FILE is empty"
  fi
  trim_token
  has_joined || { [ -n "$SKERRY_SERVER" ] && [ -n "$SKERRY_TOKEN" ]; } ||
    wrong_option "a device joins with --server https://MASTER:6443 and --token TOKEN: the master prints both (skerry token create --print-join-command there)"
  check_server
  check_node_name
  check_token_form
}

# What a paste or a file from Windows has around it.
trim_token() {
  SKERRY_TOKEN=${SKERRY_TOKEN#"${SKERRY_TOKEN%%[![:space:]]*}"}
  SKERRY_TOKEN=${SKERRY_TOKEN%"${SKERRY_TOKEN##*[![:space:]]}"}
}

check_server() {
  server=${SKERRY_SERVER%/}
  [ -n "$server" ] || return 0
  host=${server#https://} port=443
  case $host in
    \[*]:* | [!\[]*:*) port=${host##*:} host=${host%:*} ;;
    ?*) detail "--server $SKERRY_SERVER names no port, so it is 443; a master has 6443 unless it was told another" ;;
  esac
  case $port in '' | *[!0-9]* | ??????*) port=65536 ;; esac
  case $server in https://*) ;; *) host= ;; esac
  case $host in
    '' | :* | *[/?#@[:space:]]*) ;;
    *) [ "$port" -gt 65535 ] || return 0 ;;
  esac
  wrong_option "--server $SKERRY_SERVER: expected https://HOST:PORT"
}

# RFC 1123 subdomain, as shared/options/option-types.ts has it.
check_node_name() {
  case $SKERRY_NODE_NAME in
    '') return 0 ;;
    *[!a-z0-9.-]* | [.-]* | *[.-] | *.[.-]* | *-.*) ;;
    *) [ "${#SKERRY_NODE_NAME}" -gt 253 ] || return 0 ;;
  esac
  wrong_option "--node-name $SKERRY_NODE_NAME: expected lower case letters, digits, - and ., as in a host name, at most 253"
}

# <6 letters or digits>.<16>.<64 hexadecimal digits>
check_token_form() {
  malformed="the token is malformed: it has three parts, <id>.<secret>.<hash of the master's authority>; paste all of what the master printed"
  case $SKERRY_TOKEN in
    '') return 0 ;;
    *[!a-z0-9.]* | *.*.*.*) wrong_option "$malformed" ;;
    ??????.????????????????.????????????????????????????????????????????????????????????????) ;;
    *) wrong_option "$malformed" ;;
  esac
}

keep_token() {
  if has_joined; then
    check_same_cluster
    if ! needs_token; then
      detail "this device has joined already, and stays what it is"
      return 0
    fi
    detail "this device has joined, but has no link now: if it was removed there, the token lets it join again"
  fi
  if [ -n "$SKERRY_TOKEN" ] || dry_run; then printf '%s\n' "$SKERRY_TOKEN" | write_file "$root$token_file" 0600; fi
}

# A node that was removed from the cluster has no link; a token is of use to it, and to no other that has joined.
needs_token() { [ -n "$SKERRY_TOKEN" ] && [ -z "$root" ] && ! dry_run && ! has_link; }

# A device belongs to one cluster; the token's last part is the hash of its authority.
check_same_cluster() {
  [ -n "$SKERRY_TOKEN" ] && ! dry_run || return 0
  # shellcheck disable=SC2016 # JavaScript
  joined_as=$("$(installed_node)" -e '
    const { ca, nodeName } = JSON.parse(require("node:fs").readFileSync(process.argv[1], "utf8"));
    const { X509Certificate, createHash } = require("node:crypto");
    const hash = createHash("sha256").update(new X509Certificate(ca).raw).digest("hex");
    process.stdout.write(hash + " " + nodeName);
  ' "$state/agent/enrolment.json") || return 0
  [ "${joined_as%% *}" = "${SKERRY_TOKEN##*.}" ] ||
    fail "this device belongs to another cluster already, as node ${joined_as#* }: leave it first (./install.sh uninstall)"
}

make_token_for_this_machine() {
  if has_joined; then
    detail "this device has joined already"
    # The master may listen at another port now.
    case $(sed -n 's/^server: *"\{0,1\}\([^"]*\).*/\1/p' "$etc/agent.yaml" 2>/dev/null) in
      https://127.0.0.1:* | https://localhost:*) SKERRY_SERVER=${SKERRY_SERVER:-$(server_of_kubeconfig)} ;;
    esac
    return 0
  fi
  SKERRY_SERVER=${SKERRY_SERVER:-$(if dry_run; then echo https://ADDRESS:6443; else server_of_kubeconfig; fi)}
  if dry_run; then
    detail "would run: skerry token create --uses 1"
  else
    SKERRY_TOKEN=$("$lib/master/bin/skerry" token create --uses 1 --ttl 1h --kubeconfig "$etc/admin.kubeconfig") ||
      fail "the master gave no token for this machine: the line above says why"
  fi
  printf '%s\n' "$SKERRY_TOKEN" | write_file "$token_file" 0600
}

server_of_kubeconfig() { sed -n 's/^ *server: *"\{0,1\}\([^"]*\)"\{0,1\}$/\1/p' "$etc/admin.kubeconfig" | head -n 1; }

# A token is used up when the device has joined; until then the agent needs it, also after a reboot.
forget_token() {
  if { dry_run && [ -z "$root" ]; } || has_joined; then remove "$root$token_file"; fi
}

link_kubeconfig() {
  point "$etc/admin.kubeconfig" /var/lib/skerry/master/admin.kubeconfig
}

# How devices reach this master: what it says of itself; the kubeconfig names the loopback.
server_for_devices() {
  said=$(systemctl show -P StatusText skerry-master 2>/dev/null)
  case $said in https://*) echo "${said%%[, ]*}" ;; *) server_of_kubeconfig ;; esac
}

print_join_command() {
  if dry_run; then
    detail "would print: ./install.sh agent --server https://ADDRESS:6443 --token TOKEN"
    return 0
  fi
  # Another run that changes nothing makes no token either.
  token=TOKEN
  [ "$changes" = 0 ] || token=$("$lib/master/bin/skerry" token create --kubeconfig "$etc/admin.kubeconfig") || fail "the master gave no token: the line above says why"
  join="agent --server $(server_for_devices) --token $token"
  printf '%s\n' "
The master runs. Use it:     sudo skerry status     (kubectl: /etc/skerry/admin.kubeconfig, as root)

To join a device within 24 hours, run there as root, from a clone or an unpacked archive:

  ./install.sh $join

or from here, over ssh, to a device of the same architecture (it needs no network but this one; its packages: podman runc nftables
iproute2 conntrack$([ -x "$lib/current/node/bin/node" ] || printf ' nodejs')):

  tar -C /usr/lib/skerry/current -c . | ssh root@DEVICE 'd=\$(mktemp -d) && trap \"rm -rf \$d\" EXIT && tar -x -C \$d && \$d/install.sh $join'

Each device needs a token of its own: \`sudo skerry token create --print-join-command\` prints such a line with a new one."
}
