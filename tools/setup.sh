#!/bin/sh
# The set-up of a clone, safe to run again and by several processes at once:
#   1. the npm packages of package-lock.json, among them the Node that runs everything (npm may run on an older one);
#   2. the host's programs: passt (network), e2fsprogs, xz and Debian's keys (guest images); with --tests also
#      what the tests compare with. They come from apt-get, if it is here and we may use it; else we say what is missing.
# A missing program is no failure: the verb that needs it says so. A missing package or runtime is.
# Usage: tools/setup.sh [--npm-only | --tests]
set -eu
cd "$(dirname "$0")/.."
mode=${1:-}

say() { printf 'set-up: %s\n' "$*" >&2; }
fail() {
  say "$1"
  shift
  for line in "$@"; do printf '  %s\n' "$line" >&2; done
  exit 1
}

# ---- npm packages ----

stamp=node_modules/.understudy-setup
wanted() { cksum <package-lock.json; }
npm_is_done() { [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$(wanted)" ]; }

install_npm_packages() {
  command -v npm >/dev/null 2>&1 ||
    fail 'npm is not installed.' 'Install it (Debian: apt-get install npm) and start again.'
  say 'installing the npm packages (once, a minute or so)'
  # Without the variables of an outer "npm run": they would configure this npm too.
  npm ci --no-audit --no-fund --loglevel=error >&2 ||
    fail 'npm ci failed.' 'Look at its message above; it needs the npm registry (or the mirror that your npm is configured for).'
  link_runtime
  wanted >"$stamp"
}

# npm 9 as Debian 13 has it does not link this one program.
link_runtime() {
  [ ! -e node_modules/.bin/node ] || return 0
  for binary in node_modules/node-*/bin/node; do
    [ ! -x "$binary" ] || ln -sf "../${binary#node_modules/}" node_modules/.bin/node
  done
}

# ---- the runtime ----

check_runtime() {
  runtime=node_modules/.bin/node
  [ -x "$runtime" ] || fail "there is no Node package for $(uname -s) $(uname -m): Understudy runs on Linux, x86-64 or arm64."
  version=$("$runtime" --version) || fail "$runtime does not run on this system." 'It needs glibc 2.28 or later.'
  major=${version#v}
  [ "${major%%.*}" -ge 24 ] || fail "$runtime is Node $version, and Understudy needs 24 or later." 'Remove node_modules and start again.'
}

# ---- host programs ----

# Prints the Debian packages that are missing. Each is known by a file or a program of its own.
missing_packages() {
  need() {
    case $2 in
    /*) [ -e "$2" ] || printf '%s ' "$1" ;;
    *) PATH=$PATH:/usr/sbin:/sbin command -v "$2" >/dev/null 2>&1 || printf '%s ' "$1" ;;
    esac
  }
  need passt passt
  need e2fsprogs mke2fs
  need xz-utils xz
  [ -e /usr/share/keyrings/debian-archive-keyring.pgp ] || need debian-archive-keyring /usr/share/keyrings/debian-archive-keyring.gpg
  if [ "$mode" = --tests ]; then
    need redis-tools redis-cli
    need iproute2 ip
    need iputils-ping ping
    need ethtool ethtool
    need libnbd-bin nbdinfo
    need nbdkit nbdkit
    need mount losetup
    need qemu-utils qemu-io
    need openssl openssl
    need gnupg gpg
    need python3 python3
    need systemd systemd-notify
    need etcd-server etcd
    need postgresql /usr/share/postgresql-common/pg_wrapper
    need qemu-user qemu-riscv64
    need qemu-system-misc qemu-system-riscv64
    need gcc cc
    need libc6-dev /usr/include/stdio.h
    need gcc-riscv64-linux-gnu riscv64-linux-gnu-gcc
    need binutils-riscv64-linux-gnu riscv64-linux-gnu-objdump
    need libc6-dev-riscv64-cross /usr/riscv64-linux-gnu/lib/libc.so.6
  fi
}

install_host_packages() {
  missing=$(missing_packages)
  [ -n "$missing" ] || return 0
  if ! command -v apt-get >/dev/null 2>&1; then
    say "not on this system: $missing(names of Debian packages). Install what your system calls them; see README.md for what each is for."
    return 0
  fi
  if [ "$(id -u)" = 0 ]; then
    as_root='env DEBIAN_FRONTEND=noninteractive'
  elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
    as_root='sudo -n env DEBIAN_FRONTEND=noninteractive'
  else
    say "missing: $missing" "- install with: sudo apt-get install --no-install-recommends $missing"
    return 0
  fi
  say "installing from Debian: $missing"
  log=.cache/setup-apt.log
  # shellcheck disable=SC2086 # both are lists of words
  if $as_root apt-get update -q >"$log" 2>&1 && $as_root apt-get install -q -y --no-install-recommends $missing >>"$log" 2>&1; then
    return 0
  fi
  # One package that this release lacks must not keep the others away.
  for package in $missing; do
    # shellcheck disable=SC2086
    $as_root apt-get install -q -y --no-install-recommends "$package" >>"$log" 2>&1 || say "apt-get could not install $package; see $log"
  done
}

# ---- all of it, one at a time ----

mkdir -p .cache
if command -v flock >/dev/null 2>&1; then
  exec 9>.cache/setup.lock
  flock -n 9 || {
    say 'another set-up of this clone is at work; waiting for it'
    flock 9
  }
fi
first_time=false
npm_is_done || {
  first_time=true
  install_npm_packages
}
check_runtime
[ "$mode" = --npm-only ] || install_host_packages
[ "$first_time" = false ] || say 'done'
