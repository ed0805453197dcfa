#!/usr/bin/env bash
# PgBouncer 1.18 of Debian bookworm, which knows nothing of prepared statements, and 1.24 of trixie, which does: see debian.sh.
# usage: pgbouncer.sh DIRECTORY, which gets one directory for each suite
set -euo pipefail
source "$(dirname "$0")/debian.sh"

target=$(realpath -m "$1")
common="pgbouncer libc6 libpam0g libaudit1 libcap-ng0 libsystemd0 libcap2 libgcrypt20 libgpg-error0 liblz4-1 liblzma5 libzstd1 zlib1g"
mkdir -p "$target"
# shellcheck disable=SC2086  # the packages are words
{
  unpack bookworm "$target/bookworm" $common libc-ares2 libevent-2.1-7 libssl3
  unpack trixie "$target/trixie" $common libcares2 libevent-2.1-7t64 libssl3t64
}
for suite in bookworm trixie; do
  relink "$target/$suite" "$target/$suite/usr/sbin/pgbouncer"
  rm -rf "$target/$suite/usr/share"
  "$target/$suite/usr/sbin/pgbouncer" --version
done > "$target/.done"
