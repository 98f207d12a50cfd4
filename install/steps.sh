# Steps: what changes the machine goes through run, write_file and copy_file, which only tell with --dry-run, and count what they did.
# shellcheck shell=sh disable=SC2154,SC2034 # names of install.sh and its other parts

changes=0
step_name=

dry_run() { [ "$SKERRY_DRY_RUN" = true ]; }

# step FUNCTION [ARGUMENT...]: one step; its function's name, with blanks, is what is printed.
step() {
  step_name=$1
  for argument in "$@"; do [ "$argument" = "$1" ] || step_name="$step_name $argument"; done
  rest=$step_name && step_name=
  while [ "$rest" != "${rest#*_}" ]; do step_name="$step_name${rest%%_*} " && rest=${rest#*_}; done
  step_name=$step_name$rest
  say "$step_name"
  "$@"
}

detail() { printf '    %s\n' "$*" 2>/dev/null || :; }

# What stands in the way: ends the script, or with --dry-run is one line among the steps.
problem() {
  if dry_run; then detail "would fail: $*"; else fail "$*"; fi
}

# wrong_option SENTENCE: as problem, for what is not right on any machine.
wrong_option() {
  if dry_run; then detail "would fail: $*"; else misuse "$*"; fi
}

# run COMMAND [ARGUMENT...]: changes the machine.
run() {
  if dry_run; then
    detail "would run: $*"
    return 0
  fi
  changes=$((changes + 1))
  "$@" || stopped "$1"
}

# try COMMAND [ARGUMENT...]: as run, but its failure is the caller's to handle.
try() {
  if dry_run; then
    detail "would run: $*"
    return 0
  fi
  changes=$((changes + 1))
  "$@"
}

stopped() {
  for folder in "$lib" "$root/usr/lib" "$etc" "$root/etc" "$state" "$root/var/lib"; do
    free_kib=$(df -Pk "$folder" 2>/dev/null | awk 'NR == 2 { print $4 }')
    [ "${free_kib:-99999}" -gt 4 ] || fail "\"$step_name\" stopped: the disk of $folder is full; free some space, then run the same command again"
  done
  fail "\"$step_name\" stopped: $1 failed, as the line above says; mend it, then run the same command again"
}

# write_file FILE MODE: what standard input says, at once or not at all. Says nothing and does nothing when the file is so already.
write_file() {
  if dry_run; then
    detail "would write: $1 (mode $2)"
    # Who writes here would find nobody who reads.
    while read -r _; do :; done
    return 0
  fi
  # A file of that name, made by somebody else, must not be followed.
  rm -f "$1.part"
  (umask 077 && cat >"$1.part") || { rm -f "$1.part"; stopped "writing $1"; }
  place_file "$1" "$2"
}

# copy_file FROM TO MODE: as write_file.
copy_file() {
  if dry_run; then
    detail "would write: $2 (mode $3)"
    return 0
  fi
  rm -f "$2.part"
  (umask 077 && cp -- "$1" "$2.part") || { rm -f "$2.part"; stopped "writing $2"; }
  place_file "$2" "$3"
}

place_file() {
  if cmp -s "$1.part" "$1"; then
    rm -f "$1.part"
    return 0
  fi
  # Its name must not be on the disk before its content: after a power cut the unit would be empty.
  sync -- "$1.part" 2>/dev/null || :
  chmod "$2" "$1.part" && mv -T -- "$1.part" "$1" || { rm -f "$1.part"; stopped "writing $1"; }
  changes=$((changes + 1))
  detail "wrote $1"
}

# make_folder FOLDER MODE [OWNER]: unless it is there.
make_folder() {
  [ ! -d "$1" ] || return 0
  run mkdir -p -m "$2" "$1"
  [ $# -lt 3 ] || run chown "$3" "$1"
}

# make_way FOLDER: a folder that the master's user, too, passes through: `skerry up` of older releases made it for root alone.
make_way() {
  make_folder "$1" 0755
  [ -z "$(find -H "$1" -maxdepth 0 ! -perm -0001 2>/dev/null)" ] || run chmod a+x "$1"
}

# point LINK TARGET: an atomic change of a symbolic link.
point() {
  [ "$(readlink "$1" 2>/dev/null)" = "$2" ] && return 0
  if dry_run; then
    detail "would link: $1 -> $2"
    return 0
  fi
  rm -f "$1.part"
  run ln -s "$2" "$1.part"
  run mv -T "$1.part" "$1"
  detail "linked $1 -> $2"
}

# remove FILE...: those that are there.
remove() {
  for path in "$@"; do
    if [ -e "$path" ] || [ -L "$path" ]; then run rm -rf -- "$path"; fi
  done
}

# ask QUESTION: true for a yes, or with --yes.
ask() {
  if [ "$SKERRY_YES" = true ] || dry_run; then return 0; fi
  [ -t 0 ] || fail "this needs a yes: run it again with --yes"
  printf '%s [y/N] ' "$1"
  read -r answer || answer=
  case $answer in y | Y | yes) return 0 ;; *) return 1 ;; esac
}
