#!/usr/bin/env bash
# PostgreSQL 17 as Debian trixie has it, with contrib, pgvector 0.8.0, pgTAP and plpgsql_check: see debian.sh.
# usage: postgres17.sh DIRECTORY
set -euo pipefail
source "$(dirname "$0")/debian.sh"

target=$(realpath -m "$1")
unpack trixie "$target" \
  postgresql-17 postgresql-client-17 postgresql-17-pgvector postgresql-17-pgtap postgresql-17-plpgsql-check \
  libc6 libgcc-s1 libstdc++6 libicu76 libssl3t64 libpq5 libldap2 libsasl2-2 libgssapi-krb5-2 libkrb5-3 libk5crypto3 \
  libkrb5support0 libcom-err2 libkeyutils1 libpam0g libaudit1 libcap-ng0 libselinux1 libpcre2-8-0 liblz4-1 libzstd1 \
  zlib1g libxml2 liblzma5 libxslt1.1 libsystemd0 libcap2 libreadline8t64 libtinfo6 libuuid1 libgcrypt20 \
  libgpg-error0 libedit2 libbsd0 libmd0 libxxhash0
relink "$target" "$target"/usr/lib/postgresql/17/bin/*
# of what is shared only the server's own is needed, and compiling queries needs LLVM, which is not here
find "$target/usr/share" -mindepth 1 -maxdepth 1 -not -name postgresql -exec rm -rf {} +
rm -rf "$target"/usr/lib/postgresql/17/lib/{bitcode,llvmjit*}
"$target/usr/lib/postgresql/17/bin/postgres" --version > "$target/.done"
