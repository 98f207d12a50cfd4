# Options of master, agent, upgrade and uninstall. Each is a flag, and the variable of the same name: --dry-run, SKERRY_DRY_RUN.
# shellcheck shell=sh disable=SC2154,SC2034

# flag, variable, then `switch`, `value`, or the program and the key of its configuration file.
option_table='
dry-run             SKERRY_DRY_RUN             switch
yes                 SKERRY_YES                 switch
with-agent          SKERRY_WITH_AGENT          switch
keep-data           SKERRY_KEEP_DATA           switch
allow-unsigned      SKERRY_ALLOW_UNSIGNED      switch
ignore-checks       SKERRY_IGNORE_CHECKS       switch
rollback            SKERRY_ROLLBACK            switch
root                SKERRY_ROOT                value
archive             SKERRY_ARCHIVE             value
pubkey              SKERRY_PUBKEY              value
packages            SKERRY_PACKAGES            value
side                SKERRY_SIDE                value
timeout             SKERRY_TIMEOUT             value
token               SKERRY_TOKEN               value
token-file          SKERRY_TOKEN_FILE          value
listen              SKERRY_LISTEN              master:listen
advertise-address   SKERRY_ADVERTISE_ADDRESS   master:advertiseAddress
cluster-cidr        SKERRY_CLUSTER_CIDR        master:clusterCidr
node-cidr-mask-size SKERRY_NODE_CIDR_MASK_SIZE master:nodeCidrMaskSize
service-cidr        SKERRY_SERVICE_CIDR        master:serviceCidr
server              SKERRY_SERVER              agent:server
node-name           SKERRY_NODE_NAME           agent:nodeName
node-ip             SKERRY_NODE_IP             agent:nodeIp
runtime             SKERRY_RUNTIME             agent:runtime
'

# each_option FUNCTION: calls it with the three words of each row.
each_option() {
  # shellcheck disable=SC2086 # words
  set -- "$1" $option_table
  handler=$1 && shift
  while [ $# -gt 0 ]; do
    "$handler" "$1" "$2" "$3"
    shift 3
  done
}

read_install_options() {
  each_option default_option
  while [ $# -gt 0 ]; do
    case $1 in
      --*=*) flag=${1%%=*} && value=${1#*=} && has_value=true ;;
      --*) flag=$1 && value='' && has_value=false ;;
      *) misuse "unexpected argument \"$1\"; ./install.sh --help lists the options" ;;
    esac
    shift
    option_variable=
    each_option match_option
    [ -n "$option_variable" ] || misuse "unknown option $flag; ./install.sh --help lists the options"
    if [ "$has_value" = false ] && [ "$option_kind" = switch ]; then
      # `--with-agent false` is meant as `--with-agent=false`.
      case ${1:-} in true | false) value=$1 && shift ;; *) value=true ;; esac
    elif [ "$has_value" = false ]; then
      [ $# -gt 0 ] || misuse "$flag needs a value"
      value=$1 && shift
    fi
    eval "$option_variable=\$value"
  done
  each_option check_option
  SKERRY_WITH_AGENT=${SKERRY_WITH_AGENT:-true}
  SKERRY_TIMEOUT=${SKERRY_TIMEOUT:-90}
  case $SKERRY_TIMEOUT in *[!0-9]* | 0* | ??????*) misuse "--timeout $SKERRY_TIMEOUT: expected a number of seconds, from 1 to 99999" ;; esac
  case $SKERRY_SIDE in '' | master | agent) ;; *) misuse "--side $SKERRY_SIDE: expected master or agent" ;; esac
  case $SKERRY_PACKAGES in '' | install | require) ;; *) misuse "--packages $SKERRY_PACKAGES: expected install or require" ;; esac
  root=${SKERRY_ROOT%/}
  case $root in '' | /*) ;; *) root=$(pwd)/$root ;; esac
  lib=$root/usr/lib/skerry
  etc=$root/etc/skerry
  state=$root/var/lib/skerry
}

default_option() { eval "$2=\${$2:-}"; }
match_option() { if [ "--$1" = "$flag" ]; then option_variable=$2 option_kind=$3; fi; }

check_option() {
  eval "value=\$$2"
  case $3.$value in
    value.* | switch. | switch.true | switch.false) ;;
    switch.1 | switch.yes) eval "$2=true" ;;
    switch.0 | switch.no) eval "$2=false" ;;
    switch.*) misuse "--$1=$value: expected true or false" ;;
    # It becomes a line of a configuration file.
    *[\"\\[:cntrl:]]*) misuse "--$1: expected one line without quotation marks and backslashes" ;;
  esac
}

# config_keys SIDE: sets $config_lines to those lines of the side's configuration file that were given as options.
config_keys() {
  config_side=$1
  config_lines=
  each_option config_key
}

config_key() {
  [ "${3%%:*}" = "$config_side" ] || return 0
  eval "value=\$$2"
  [ -z "$value" ] || add_key "${3#*:}" "$value"
}

# add_key KEY VALUE: one more line.
add_key() {
  case $2 in
    *[!0-9]*) line="$1: \"$2\"" ;;
    *) line="$1: $2" ;;
  esac
  config_lines="$config_lines${config_lines:+
}$line"
}

# with_config_lines FILE: its text with $config_lines, each where its key is, or the key's commented example; the rest as it is.
with_config_lines() {
  lines=$config_lines awk '
    BEGIN {
      count = split(ENVIRON["lines"], lines, "\n")
      for (i = 1; i <= count; i++) key[i] = substr(lines[i], 1, index(lines[i], ":"))
    }
    function put(i) { if (!done[i]) print lines[i]; done[i] = 1 }
    NR == FNR { for (i = 1; i <= count; i++) if (index($0, key[i]) == 1) live[i] = 1; next }
    {
      for (i = 1; i <= count; i++) {
        if (index($0, key[i]) == 1 || (!live[i] && !done[i] && index($0, "#" key[i]) == 1)) { put(i); next }
      }
      print
    }
    END { for (i = 1; i <= count; i++) put(i) }
  ' "$1" "$1"
}
