#!/bin/sh
# Makes localhost/skerry-sample:1, the image of examples/sample.yaml, from this machine's busybox; an image of that name is left as it is.
# Needs podman and busybox. A busybox that is not static (Raspberry Pi OS) takes its libraries along.
set -eu

image=localhost/skerry-sample:1
! podman image exists "$image" || exit 0
busybox=$(command -v busybox) || { echo "make-image.sh: there is no busybox: install busybox-static" >&2; exit 1; }
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
for folder in bin tmp www etc proc sys dev; do mkdir "$root/$folder"; done
chmod 755 "$root" && chmod 1777 "$root/tmp"
cp -L "$busybox" "$root/bin/busybox"
for applet in $("$busybox" --list); do [ -e "$root/bin/$applet" ] || ln -s busybox "$root/bin/$applet"; done
# ldd fails for a static program.
for library in $(ldd "$busybox" 2>/dev/null | grep -o '/[^ ]*'); do
  mkdir -p "$root${library%/*}"
  cp -L "$library" "$root$library"
done
tar -C "$root" -c . | podman import -q --change 'CMD ["sh"]' - "$image" >/dev/null
