# shellcheck shell=bash
# Test hosts with a real systemd: systemd-nspawn on an overlay, each in its own network namespace, all on one bridge.
# Source this file; README.md lists the functions. Everything is named after the run's number. hosts_close removes it; if the
# run was killed, the next hosts_open does.

HOSTS_LIB=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR
. "$HOSTS_LIB/root.sh"

readonly HOSTS_RUNS=/run/serin-hosts
readonly HOSTS_APT="systemd-container mmdebstrap dpkg-dev iproute2 openssh-client ansible-core xz-utils"

say() { echo "# $*" >&2; }

cannot_run() {
  echo "this machine cannot run the test hosts: $*" >&2
  exit 69
}

# Installs missing packages. Exits with a message if this machine cannot run hosts.
hosts_require() {
  local missing=()
  [ "$(id -u)" = 0 ] || cannot_run "systemd-nspawn needs root (try: sudo $0)"
  command -v systemd-nspawn >/dev/null || missing+=(systemd-nspawn)
  command -v mmdebstrap >/dev/null || missing+=(mmdebstrap)
  command -v dpkg-scanpackages >/dev/null || missing+=(dpkg-scanpackages)
  command -v ip >/dev/null || missing+=(ip)
  command -v ssh >/dev/null || missing+=(ssh)
  command -v ansible-playbook >/dev/null || missing+=(ansible-playbook)
  command -v xz >/dev/null || missing+=(xz)
  if [ ${#missing[@]} -gt 0 ]; then
    command -v apt-get >/dev/null || cannot_run "${missing[*]} missing, and no apt-get to install them"
    say "installing $HOSTS_APT (apt-get)"
    # shellcheck disable=SC2086 # a list
    install_packages $HOSTS_APT || cannot_run "apt-get could not install $HOSTS_APT"
  fi
  cgroup_roots >/dev/null
  grep -qw overlay /proc/filesystems || modprobe overlay 2>/dev/null || cannot_run "its kernel has no overlay file system"
  ip netns list >/dev/null 2>&1 || cannot_run "its kernel has no network namespaces"
}

install_packages() {
  local apt=(env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=120)
  "${apt[@]}" install -y --no-install-recommends "$@" >/dev/null 2>&1 && return
  "${apt[@]}" update >/dev/null && "${apt[@]}" install -y --no-install-recommends "$@" >/dev/null
}

# The cgroup hierarchies. Each host gets its own group: otherwise hosts would share the groups of their services.
cgroup_roots() {
  local type
  type=$(stat -fc %T /sys/fs/cgroup 2>/dev/null)
  if [ "$type" = cgroup2fs ]; then
    echo /sys/fs/cgroup
  elif [ -e /sys/fs/cgroup/unified/cgroup.procs ] && [ -d /sys/fs/cgroup/systemd ]; then
    printf '%s\n' /sys/fs/cgroup/unified /sys/fs/cgroup/systemd
  else
    cannot_run "no cgroup v2 hierarchy is mounted (/sys/fs/cgroup is ${type:-absent})"
  fi
}

# Creates the bridge, the SSH key and the mirror of packages and Node. Sets HOSTS_RUN (a folder), HOSTS_NET (10.213.<n>),
# HOSTS_GATEWAY (this machine's address in it) and HOSTS_MIRROR (a URL).
hosts_open() {
  hosts_require
  hosts_build_root
  sweep_dead_runs
  claim_network
  ssh-keygen -q -t ed25519 -N '' -C serin-test -f "$HOSTS_RUN/id"
  : >"$HOSTS_RUN/known_hosts"
  write_ssh_config
  python3 -m http.server --bind "$HOSTS_GATEWAY" --directory "$HOSTS_CACHE/mirror" 8000 >"$HOSTS_RUN/mirror.log" 2>&1 &
  echo $! >"$HOSTS_RUN/mirror.pid"
  HOSTS_MIRROR=http://$HOSTS_GATEWAY:8000
}

# Creating the bridge claims a number: the kernel lets only one run succeed.
claim_network() {
  local number
  mkdir -p "$HOSTS_RUNS"
  for number in $(shuf -i 1-250); do
    ip link add "serin$number" type bridge 2>/dev/null || continue
    HOSTS_NUMBER=$number
    HOSTS_RUN=$HOSTS_RUNS/$number
    HOSTS_NET=10.213.$number
    HOSTS_GATEWAY=$HOSTS_NET.1
    rm -rf "$HOSTS_RUN"
    mkdir -m 0700 "$HOSTS_RUN"
    process_start $$ >"$HOSTS_RUN/owner"
    ip addr add "$HOSTS_GATEWAY/24" dev "serin$number"
    ip link set "serin$number" up
    return
  done
  cannot_run "it cannot make a network bridge (or has 250 of them)"
}

write_ssh_config() {
  cat >"$HOSTS_RUN/ssh_config" <<CONFIG
Host *
  User admin
  IdentityFile $HOSTS_RUN/id
  IdentitiesOnly yes
  UserKnownHostsFile $HOSTS_RUN/known_hosts
  GlobalKnownHostsFile /dev/null
  StrictHostKeyChecking yes
  LogLevel ERROR
CONFIG
}

# Boots hosts and waits until they accept SSH. A name has at most eight characters.
host_start() {
  local name
  for name in "$@"; do boot_host "$name"; done
  for name in "$@"; do host_wait "$name"; done
}

boot_host() {
  local name=$1 dir=$HOSTS_RUN/hosts/$1 address namespace=serin$HOSTS_NUMBER-$1
  mkdir -p "$dir/rw" "$dir/root"
  address=$HOSTS_NET.$(($(find "$HOSTS_RUN/hosts" -mindepth 1 -maxdepth 1 | wc -l) + 9))
  echo "$address" >"$dir/address"
  add_namespace "$namespace" "$address"
  mount -t tmpfs -o mode=0755 serin-hosts "$dir/rw"
  mkdir "$dir/rw/upper" "$dir/rw/work"
  mount -t overlay -o "lowerdir=$HOSTS_CACHE/root,upperdir=$dir/rw/upper,workdir=$dir/rw/work" serin-hosts "$dir/root"
  furnish_host "$name" "$dir/root" "$address"
  run_host "$name" >"$dir/console.log" 2>&1 </dev/null &
}

add_namespace() {
  local namespace=$1 address=$2 end
  end=s$HOSTS_NUMBER-${address##*.}
  ip netns add "$namespace"
  ip link add "$end" type veth peer name host0 netns "$namespace"
  ip link set "$end" master "serin$HOSTS_NUMBER" up
  ip -n "$namespace" addr add "$address/24" dev host0
  ip -n "$namespace" link set host0 up
  ip -n "$namespace" link set lo up
}

# Writes the files that differ between hosts, before the first boot.
furnish_host() {
  local name=$1 root=$2 address=$3 key
  ssh-keygen -q -t ed25519 -N '' -C "$name" -f "$root/etc/ssh/ssh_host_ed25519_key"
  key=$(cut -d' ' -f1,2 "$root/etc/ssh/ssh_host_ed25519_key.pub")
  echo "$address $key" >>"$HOSTS_RUN/known_hosts"
  install -m 0600 -o 1000 -g 1000 "$HOSTS_RUN/id.pub" "$root/home/admin/.ssh/authorized_keys"
  echo "$name" >"$root/etc/hostname"
  echo "127.0.0.1 localhost $name" >"$root/etc/hosts"
  echo "deb [trusted=yes] $HOSTS_MIRROR/debs ./" >"$root/etc/apt/sources.list"
}

# nspawn exits with 133 when its host reboots.
run_host() {
  local name=$1 dir=$HOSTS_RUN/hosts/$1 group status=133
  for group in $(cgroup_roots); do mkdir -p "$group/serin$HOSTS_NUMBER-$name"; done
  while [ "$status" = 133 ]; do
    status=0
    (
      for group in $(cgroup_roots); do echo 0 >"$group/serin$HOSTS_NUMBER-$name/cgroup.procs"; done
      SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1 exec systemd-nspawn --quiet --boot -D "$dir/root" -M "serin$HOSTS_NUMBER-$name" \
        --hostname="$name" --register=no --keep-unit --resolv-conf=off --link-journal=no --timezone=off \
        --network-namespace-path="/run/netns/serin$HOSTS_NUMBER-$name" --capability=CAP_NET_ADMIN --console=read-only
    ) || status=$?
  done
}

# Waits until the host accepts SSH, for at most 60 s.
host_wait() {
  local name=$1
  for _ in $(seq 300); do
    host_ssh "$name" -o ConnectTimeout=1 -o ControlPath=none true 2>/dev/null && return
    sleep 0.2
  done
  echo "$name does not accept SSH; its console:" >&2
  tail -n 20 "$HOSTS_RUN/hosts/$name/console.log" >&2
  return 1
}

host_address() { cat "$HOSTS_RUN/hosts/$1/address"; }

# host_ssh NAME [-o OPTION…] COMMAND…
host_ssh() {
  local name=$1 options=()
  shift
  while [ "${1:-}" = -o ]; do
    options+=("$1" "$2")
    shift 2
  done
  # -n leaves standard input to a surrounding loop.
  ssh -n -F "$HOSTS_RUN/ssh_config" "${options[@]}" "$(host_address "$name")" "$@"
}

# host_root NAME COMMAND…: runs it as root.
host_root() {
  local name=$1
  shift
  host_ssh "$name" sudo "$@"
}

host_reboot() {
  local name=$1 before
  before=$(host_ssh "$name" cat /proc/sys/kernel/random/boot_id /proc/1/stat | cksum)
  host_root "$name" systemctl reboot || true
  # The old system may still answer.
  while [ "$(host_ssh "$name" -o ConnectTimeout=1 cat /proc/sys/kernel/random/boot_id /proc/1/stat 2>/dev/null | cksum)" = "$before" ]; do
    sleep 0.2
  done
  host_wait "$name"
}

# Stops hosts like a power cut.
host_stop() {
  local name
  for name in "$@"; do end_host "$HOSTS_NUMBER" "$name" "$HOSTS_RUN/hosts/$name"; done
}

end_host() {
  local number=$1 name=$2 dir=$3 group
  for group in $(cgroup_roots); do
    group=$group/serin$number-$name
    [ -d "$group" ] || continue
    # Killing only nspawn would leave its systemd running. All its processes are in the first hierarchy, which is v2.
    if [ -e "$group/cgroup.kill" ]; then echo 1 >"$group/cgroup.kill"; fi
    for _ in $(seq 50); do
      find "$group" -depth -type d -exec rmdir {} + 2>/dev/null
      [ -d "$group" ] || break
      sleep 0.1
    done
  done
  umount "$dir/root" 2>/dev/null || umount -l "$dir/root" 2>/dev/null
  umount "$dir/rw" 2>/dev/null || umount -l "$dir/rw" 2>/dev/null
  ip netns del "serin$number-$name" 2>/dev/null
  rm -rf --one-file-system "$dir"
}

# Removes everything that this run created. May be called twice.
hosts_close() {
  [ -n "${HOSTS_NUMBER:-}" ] || return 0
  remove_run "$HOSTS_NUMBER"
  HOSTS_NUMBER=
}

remove_run() {
  local number=$1 run=$HOSTS_RUNS/$1 dir
  for dir in "$run"/hosts/*/; do
    [ -d "$dir" ] && end_host "$number" "$(basename "$dir")" "${dir%/}"
  done
  if [ -e "$run/mirror.pid" ]; then kill "$(cat "$run/mirror.pid")" 2>/dev/null; fi
  ip link del "serin$number" 2>/dev/null
  rm -rf "$run"
}

# Cleans up after runs that were killed.
sweep_dead_runs() {
  local run pid
  for run in "$HOSTS_RUNS"/*/; do
    [ -e "$run/owner" ] || continue
    pid=$(cut -d' ' -f1 "$run/owner")
    [ "$(process_start "$pid")" = "$(cat "$run/owner")" ] && continue
    say "cleaning up after run $(basename "$run")"
    remove_run "$(basename "$run")"
  done
}

# process_start PID: prints the pid and its start time, or nothing if the process has ended or is a zombie.
process_start() { sed -E 's/\(.*\)/-/' "/proc/$1/stat" 2>/dev/null | awk '$3 != "Z" { print $1, $22 }'; }

# Creates the network namespace of a machine outside the inventory. Sets STRANGER to its name.
stranger_open() {
  mkdir -p "$HOSTS_RUN/hosts/stranger"
  echo "$HOSTS_NET.99" >"$HOSTS_RUN/hosts/stranger/address"
  # shellcheck disable=SC2034 # for the caller
  STRANGER=serin$HOSTS_NUMBER-stranger
  add_namespace "$STRANGER" "$HOSTS_NET.99"
}
