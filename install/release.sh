# A release: one unpacked folder under /usr/lib/skerry/releases, made from this clone, this unpacked archive, or --archive FILE.
# shellcheck shell=sh disable=SC2154,SC2034

# What a release has of the repository as it is; the rest is what the build makes.
release_files='install.sh install examples systemd config completion man LICENSE NOTICE'

# Where the files come from: archive, unpacked (install.sh lies in an unpacked archive, or an installed release), clone.
release_source() {
  if [ -n "$SKERRY_ARCHIVE" ]; then
    echo archive
  elif [ -e "$here/bin/skerry" ] && [ -e "$here/VERSION" ]; then
    echo unpacked
  elif [ -e "$here/package.json" ]; then
    echo clone
  else
    echo none
  fi
}

# Sets $release, a name in $lib/releases. What is there already is not made again.
stage_release() {
  remove "$lib/releases/.part"
  from=$(release_source)
  case $from in
    archive) verify_archive ;;
    clone) build_for_release ;;
    none) fail "there is nothing to install beside install.sh: give --archive FILE, or run it from a clone" ;;
  esac
  if dry_run; then
    release='VERSION+SUM'
    detail "would write: $lib/releases/$release, from $(describe_source)"
    return 0
  fi
  source_id=$(source_id)
  same=$(grep -lxF "$source_id" "$lib"/releases/*/SOURCE 2>/dev/null | head -n 1) || same=
  if [ -n "$same" ]; then
    release=$(basename "$(dirname "$same")")
    detail "release $release is there already"
    return 0
  fi
  check_space
  part=$lib/releases/.part
  make_folder "$lib" 0755
  make_folder "$lib/releases" 0755
  run mkdir "$part"
  trap 'rm -rf "$part"' EXIT
  fill_release
  check_release_content
  check_release_architecture
  check_node
  run chmod -R u=rwX,go=rX "$part"
  sum=$(find_sum "$part" | cut -c 1-12)
  release=$(cat "$part/VERSION")+$sum
  echo "$source_id" >"$part/SOURCE" || stopped "writing $part/SOURCE"
  if [ -d "$lib/releases/$release" ]; then
    rm -rf "$part"
  else
    # The name appears when all of it is on the disk.
    sync -f "$part/SOURCE"
    uncache "$part/node/bin/node"
    run mv -T "$part" "$lib/releases/$release"
  fi
  trap - EXIT
  detail "release $release"
}

# A file that was just written or summed lies in the kernel's cache in large pieces, and Linux 6.18 maps the whole of each that a program
# touches: 5 MB more of an agent's memory, until the next boot. So it is read from the disk again.
uncache() { [ ! -e "$1" ] || dd of="$1" oflag=nocache conv=notrunc,fdatasync count=0 2>/dev/null || :; }

describe_source() {
  case $(release_source) in
    archive) echo "$SKERRY_ARCHIVE" ;;
    *) echo "$here" ;;
  esac
}

# One line that is the same when the release would be the same.
source_id() {
  # shellcheck disable=SC2086 # names
  case $from in
    archive) echo "archive $(sha256sum <"$SKERRY_ARCHIVE" | cut -d' ' -f1)" ;;
    unpacked) echo "unpacked $(cat "$here/SOURCE" 2>/dev/null || find_sum "$here")" ;;
    clone) echo "clone $(source_sum) $(cd "$here" && find $release_files -type f | LC_ALL=C sort | xargs sha256sum | sha256sum | cut -d' ' -f1) $(command -v node)" ;;
  esac
}

find_sum() { (cd "$1" && find . -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum | cut -d' ' -f1); }

build_for_release() {
  if dry_run; then detail "would run: ./install.sh build"; else build; fi
}

fill_release() {
  case $from in
    # Its name may hold a colon, which would be another host's.
    archive) run tar --force-local -xzf "$SKERRY_ARCHIVE" -C "$part" --strip-components=1 --no-same-owner ;;
    unpacked) run cp -R "$here/." "$part/" && rm -f "$part/SOURCE" ;;
    clone) fill_from_clone ;;
  esac
}

# The same files as in an archive (.ci/release.ts).
fill_from_clone() {
  run cp -R "$here/dist/." "$part/"
  rm -rf "$part/skerry" "$part/.sum"
  # shellcheck disable=SC2086 # names
  (cd "$here" && cp -R $release_files "$part/") || stopped cp
  sed -n 's/^  "version": "\(.*\)",$/\1/p' "$here/package.json" >"$part/VERSION"
  echo "$architecture" >"$part/ARCHITECTURE"
  # A Node.js that systemd would not find, or that goes with the clone, is taken along.
  case $(command -v node) in
    /usr/bin/node | /usr/local/bin/node | /bin/node) ;;
    *)
      run mkdir -p "$part/node/bin"
      run cp "$(node -p process.execPath)" "$part/node/bin/node"
      node -p process.versions.node >"$part/node/VERSION"
      ;;
  esac
}

# Files and folders only: what is copied out of a release must be of the release.
check_release_content() {
  for needed in bin/skerry lib/skerry.mjs systemd/skerry-master.service systemd/skerry-agent.service config/master.yaml config/agent.yaml; do
    [ -f "$part/$needed" ] && { [ "$needed" != bin/skerry ] || [ -x "$part/$needed" ]; } || fail "$(describe_source) holds no $needed: it is no release of Skerry, and was not installed"
  done
  other=$(find "$part" ! -type f ! -type d | head -n 1)
  [ -z "$other" ] || fail "$(describe_source) holds ${other#"$part/"}, which is neither a file nor a folder: it is no release of Skerry, and was not installed"
  case $(cat "$part/VERSION" 2>/dev/null) in
    '' | [!0-9]* | *[!0-9A-Za-z.-]*) fail "$(describe_source) holds no VERSION that could be one: it is no release of Skerry, and was not installed" ;;
  esac
}

check_release_architecture() {
  found=$(cat "$part/ARCHITECTURE" 2>/dev/null) || found=$architecture
  [ "$found" = "$architecture" ] || fail "$(describe_source) is for $found, and this machine is $architecture: take the archive for $architecture"
}

# In an image of a disk no start will say that there is no Node.js; the image has its own links.
check_node() {
  [ -n "$root" ] && [ ! -e "$part/node/bin/node" ] || return 0
  for folder in usr/local/bin usr/bin bin; do
    if [ -e "$root/$folder/node" ] || [ -L "$root/$folder/node" ]; then return 0; fi
  done
  fail "there is no Node.js in $root, and none in $(describe_source): install the package nodejs there first, or take an archive, which has its own (--archive FILE)"
}

# --- archives -----------------------------------------------------------------------------------------------------------------

# The archive is what SHA256SUMS beside it says, and signed by the key that is trusted here; before any of it is unpacked.
verify_archive() {
  [ -r "$SKERRY_ARCHIVE" ] || { problem "$SKERRY_ARCHIVE cannot be read: is the name right?"; return 0; }
  verify_checksum
  verify_signature
}

verify_checksum() {
  sums=${SKERRY_ARCHIVE%/*}/SHA256SUMS
  case $SKERRY_ARCHIVE in */*) ;; *) sums=SHA256SUMS ;; esac
  name=${SKERRY_ARCHIVE##*/}
  [ -r "$sums" ] || { problem "$sums is missing: copy it beside $name from where the archive came from"; return 0; }
  expected=$(name=$name awk '{ sum = $1; sub(/^[^ ]+ [ *]/, "") } $0 == ENVIRON["name"] { print sum }' "$sums")
  [ -n "$expected" ] || { problem "$sums does not name $name: copy both from the same release"; return 0; }
  found=$(sha256sum <"$SKERRY_ARCHIVE" | cut -d' ' -f1)
  [ "$found" = "$expected" ] || { problem "$name has another checksum than SHA256SUMS says: it is damaged or was changed, and was not unpacked; copy it again"; return 0; }
  detail "the checksum of $name is right"
}

verify_signature() {
  signature=$SKERRY_ARCHIVE.sig
  public_key=${SKERRY_PUBKEY:-$etc/release.pub}
  if [ "$SKERRY_ALLOW_UNSIGNED" = true ]; then
    detail "its signature is not checked (--allow-unsigned)"
    return 0
  fi
  [ -r "$signature" ] || { problem "$name is not signed ($name.sig is missing): copy the signature beside it, or take the risk with --allow-unsigned"; return 0; }
  [ -r "$public_key" ] || { problem "there is no public key to check $name.sig with: give --pubkey FILE"; return 0; }
  # It would verify, and then lie in /etc for everybody to read.
  ! grep -q 'PRIVATE KEY' "$public_key" 2>/dev/null || { problem "$public_key holds a private key: give --pubkey the public one (openssl pkey -in $public_key -pubout)"; return 0; }
  signature_is_right || { problem "$name.sig is not a signature of $name by the key $public_key: it was not unpacked; take archive, signature and key from the same source"; return 0; }
  detail "the signature of $name is right (key: $public_key)"
}

signature_is_right() {
  if verifier=$(installed_node); then
    # shellcheck disable=SC2016 # JavaScript
    "$verifier" -e '
      const [file, signature, key] = process.argv.slice(1).map((path) => require("node:fs").readFileSync(path));
      const publicKey = require("node:crypto").createPublicKey(key);
      const isRight = publicKey.asymmetricKeyType === "ed25519" && require("node:crypto").verify(null, file, publicKey, signature);
      process.exit(isRight ? 0 : 1);
    ' "$SKERRY_ARCHIVE" "$signature" "$public_key" 2>/dev/null
  elif command -v openssl >/dev/null 2>&1; then
    openssl pkeyutl -verify -pubin -inkey "$public_key" -rawin -in "$SKERRY_ARCHIVE" -sigfile "$signature" >/dev/null 2>&1
  else
    problem "neither openssl nor Node.js is here to check the signature with: install openssl (apt-get install -y openssl)"
  fi
}

installed_node() {
  if [ -x "$lib/current/node/bin/node" ]; then
    echo "$lib/current/node/bin/node"
  else
    command -v node 2>/dev/null
  fi
}

# The key that the administrator gave is the one that later archives are checked with.
keep_public_key() {
  [ -z "$SKERRY_PUBKEY" ] || grep -q 'PRIVATE KEY' "$SKERRY_PUBKEY" || copy_file "$SKERRY_PUBKEY" "$etc/release.pub" 0644
}

# What no side uses, and none would go back to, is removed.
remove_old_releases() {
  dry_run && return 0
  for folder in "$lib"/releases/*; do
    used=false
    for link in current master agent previous-master previous-agent; do
      [ "$(readlink "$lib/$link" 2>/dev/null)" != "releases/${folder##*/}" ] || used=true
    done
    [ "$used" = true ] || remove "$folder"
  done
}
