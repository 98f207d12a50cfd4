# What ./install.sh --help prints, and ./install.sh COMMAND --help.
# shellcheck shell=sh

# usage [COMMAND]: all lines of the table, or those that name the command. Needs no command but the shell's own, as --dry-run.
usage() {
  lead='usage: '
  while IFS='|' read -r commands line; do
    case " $commands " in *" ${1:-$commands} "*) ;; *) continue ;; esac
    case $line in
      ./*) printf '%s%s\n' "$lead" "$line" && lead='       ' ;;
      --*) printf '  %s\n' "$line" ;;
      *) printf '%s\n' "$line" ;;
    esac
  done <<'END'
master|./install.sh master [OPTION...]     install a master here, and an agent (--with-agent=false: no agent)
agent|./install.sh agent --server https://MASTER:6443 --token TOKEN [OPTION...]     join this device
upgrade|./install.sh upgrade [--side master|agent] [--rollback] [OPTION...]     to this release, or back to the one before
uninstall|./install.sh uninstall [--keep-data] [OPTION...]     remove Skerry, its pods and its data
check|./install.sh check [OPTION...]     say what of this machine would be in the way; options go to `skerry check`
sample-image|./install.sh sample-image     make the image of examples/sample.yaml on this machine; no registry has it
|./install.sh COMMAND --help     what one command takes
master agent upgrade uninstall check|
master agent upgrade uninstall check|--dry-run             print every step, and what would fail; change nothing
master agent upgrade uninstall|--yes                 ask nothing
master agent upgrade|--archive FILE        install this release, without any network
master agent upgrade|--pubkey FILE         the key that its signature is checked with (/etc/skerry/release.pub); kept for later ones
master agent upgrade|--allow-unsigned      install an archive that nobody signed
master agent|--ignore-checks       go on although `skerry check` finds errors
master agent upgrade|--packages WHAT       install, or only require, the operating system's packages (install from a clone, require from an archive)
master agent upgrade|--timeout SECONDS     how long a side may take to come up (90)
agent upgrade uninstall|--root DIR            only the files under DIR, the image of a disk of a device
|
|Of check, upgrade and uninstall:
check|--fix                 turn the memory controller on where cmdline.txt keeps it off
upgrade|--side SIDE           only master, or only agent
upgrade|--rollback            back to the release before
uninstall|--keep-data           keep configuration and state
|
|Of a master:
master|--with-agent=false    no pods on this machine
master|--listen HOST:PORT    the one port of the master (0.0.0.0:6443)
master|--advertise-address ADDRESS     how devices reach it (the address of its default route)
master|--cluster-cidr CIDR, --node-cidr-mask-size BITS, --service-cidr CIDR     addresses (10.42.0.0/16, 24, 10.43.0.0/16); for good
|
|Of an agent:
agent|--server URL          the master, as it printed it
agent|--token TOKEN         what lets this device join; --token-file FILE keeps it out of the list of processes
agent|--node-name NAME      the node's name (the machine's)
agent|--node-ip ADDRESS     its address (the one of its default route)
agent|--runtime NAME        auto, podman or containerd (auto)
|
master agent|Options of the programs are written into /etc/skerry/master.yaml and agent.yaml.
master agent upgrade uninstall|Each option is a variable too: --dry-run is SKERRY_DRY_RUN=true.
|
|In a clone, without installing:
up|./install.sh up [OPTION...]    start a one-node cluster with a sample application; options go to `skerry up`
down|./install.sh down [--purge]    stop it; --purge also removes its containers, links, cgroups and data
build|./install.sh build             install what building needs, and build dist/skerry
release|./install.sh release [--key FILE] [--arch x64,arm64,armv7] [--out DIR]    make archives for machines without a network in release/
test|./install.sh test              install what the tests need, and run every check and test
up down|
up down|Its data directory is /var/lib/skerry, or $SKERRY_DATA_DIR, or --data-dir DIR.
END
  [ "$lead" != 'usage: ' ] || misuse "unknown command \"$1\"; ./install.sh --help lists them"
}
