# shellcheck shell=bash
# Builds and caches the parts of the test hosts: a Debian root, the Debian packages that the playbooks install, and a Node
# tarball like that of nodejs.org (made from the npm package, because tests reach no other server).

readonly NODE_VERSION=24.21.0
readonly SUITE=bookworm
readonly ROOT_PACKAGES=systemd,systemd-sysv,dbus,openssh-server,python3-minimal,python3-apt,ca-certificates,iproute2,curl,sudo,procps,netcat-openbsd
# What the playbooks install, without dependencies.
readonly HOST_PACKAGES="redis-server nftables xz-utils"

# Sets HOSTS_CACHE, whose name depends on this file, and fills it on the first run.
hosts_build_root() {
  local base key
  base=${XDG_CACHE_HOME:-$HOME/.cache}/serin/hosts
  key=$(sha256sum "${BASH_SOURCE[0]}" | cut -c1-12)
  HOSTS_CACHE=$base/$key
  mkdir -p "$base"
  exec {lock}>"$base/.lock"
  flock "$lock"
  if [ ! -d "$HOSTS_CACHE" ]; then
    say "building the hosts' root file system in $HOSTS_CACHE (once, a minute or two)"
    remove_old_roots "$base"
    rm -rf "$HOSTS_CACHE.part"
    mkdir -p "$HOSTS_CACHE.part/mirror/debs"
    build_root "$HOSTS_CACHE.part"
    build_node_mirror "$HOSTS_CACHE.part/mirror"
    mv "$HOSTS_CACHE.part" "$HOSTS_CACHE"
  fi
  touch "$HOSTS_CACHE"
  exec {lock}>&-
}

# Removes caches that were not used for a week.
remove_old_roots() {
  find "$1" -mindepth 1 -maxdepth 1 -type d -mtime +7 -exec rm -rf --one-file-system {} +
}

build_root() {
  local cache=$1
  # The second hook takes the downloaded packages from the archive folder.
  mmdebstrap --quiet --variant=minbase --include="$ROOT_PACKAGES" \
    --customize-hook="chroot \"\$1\" apt-get install -qq --download-only -y --no-install-recommends $HOST_PACKAGES" \
    --customize-hook="find \"\$1/var/cache/apt/archives\" -maxdepth 1 -name '*.deb' -exec cp {} '$cache/mirror/debs/' ';'" \
    --customize-hook="$(declare -f prepare_root); prepare_root \"\$1\"" \
    "$SUITE" "$cache/root"
  # Like an old image: the lists must be refreshed.
  touch -d 2000-01-01 "$cache/root/var/lib/apt/lists"
  (cd "$cache/mirror/debs" && dpkg-scanpackages --multiversion . >Packages 2>/dev/null)
}

# Runs in a shell of mmdebstrap.
prepare_root() {
  # These units are useless without a console, clock or network configuration.
  for unit in getty@tty1.service console-getty.service apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer \
    systemd-networkd.service systemd-networkd.socket systemd-resolved.service systemd-timesyncd.service \
    e2scrub_all.timer e2scrub_reap.service fstrim.timer; do
    ln -sf /dev/null "$1/etc/systemd/system/$unit"
  done
  : >"$1/etc/machine-id"
  rm -f "$1"/etc/ssh/ssh_host_* "$1"/etc/apt/sources.list.d/* "$1/etc/resolv.conf"
  : >"$1/etc/apt/sources.list"
  # Like a cloud image: a user without password, and sudo without password.
  chroot "$1" useradd --create-home --shell /bin/bash --uid 1000 admin
  echo 'admin ALL=(ALL) NOPASSWD: ALL' >"$1/etc/sudoers.d/admin"
  install -d -m 0700 -o 1000 -g 1000 "$1/home/admin/.ssh"
}

build_node_mirror() {
  local mirror=$1 arch work
  arch=$(node_arch)
  work=$(mktemp -d)
  (cd "$work" && npm pack --silent "node-linux-$arch@$NODE_VERSION" >/dev/null && tar -xzf ./*.tgz)
  mv "$work/package" "$work/node-v$NODE_VERSION-linux-$arch"
  mkdir -p "$mirror/node/v$NODE_VERSION"
  tar -C "$work" -c "node-v$NODE_VERSION-linux-$arch/bin" "node-v$NODE_VERSION-linux-$arch/LICENSE" |
    xz -1 -T0 >"$mirror/node/v$NODE_VERSION/node-v$NODE_VERSION-linux-$arch.tar.xz"
  rm -rf "$work"
}

node_arch() {
  case $(uname -m) in
    x86_64) echo x64 ;;
    aarch64) echo arm64 ;;
    *) cannot_run "there is no Node package for $(uname -m)" ;;
  esac
}
