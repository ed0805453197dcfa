#!/usr/bin/env bash
# PostgreSQL 17 as Debian trixie has it, with contrib, pgvector 0.8.0, pgTAP and plpgsql_check, in a directory of its own.
# usage: postgres17.sh DIRECTORY; needs apt, and patchelf in the PATH. Nothing is installed into the system. The
# binaries bring their libc and look for it where they were unpacked, so the directory cannot be moved.
set -euo pipefail

target=$(realpath -m "$1")
work=$(mktemp -d -t postgres17.XXXXXX)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"

# the mirror that this machine uses, with lists and a status of our own
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -m 1 -E '/debian/?$') || {
  echo "apt knows no Debian mirror" >&2
  exit 1
}
mkdir -p "$work"/{sources,lists/partial,cache/archives/partial,packages}
touch "$work/status"
cat > "$work/sources/trixie.sources" <<END
Types: deb
URIs: $mirror
Suites: trixie
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
END
private() {
  apt-get -qq -o Dir::Etc::sourcelist=/dev/null -o Dir::Etc::sourceparts="$work/sources" -o Dir::State::lists="$work/lists" \
    -o Dir::Cache="$work/cache" -o Dir::State::status="$work/status" -o APT::Sandbox::User=root -o Debug::NoLocking=1 "$@"
}

private update
(
  cd "$work/packages"
  private download \
    postgresql-17 postgresql-client-17 postgresql-17-pgvector postgresql-17-pgtap postgresql-17-plpgsql-check \
    libc6 libgcc-s1 libstdc++6 libicu76 libssl3t64 libpq5 libldap2 libsasl2-2 libgssapi-krb5-2 libkrb5-3 libk5crypto3 \
    libkrb5support0 libcom-err2 libkeyutils1 libpam0g libaudit1 libcap-ng0 libselinux1 libpcre2-8-0 liblz4-1 libzstd1 \
    zlib1g libxml2 liblzma5 libxslt1.1 libsystemd0 libcap2 libreadline8t64 libtinfo6 libuuid1 libgcrypt20 \
    libgpg-error0 libedit2 libbsd0 libmd0 libxxhash0
)
rm -rf "$target"
mkdir -p "$target"
for package in "$work"/packages/*.deb; do
  dpkg-deb -x "$package" "$target"
done

libraries="$target/usr/lib/$(uname -m)-linux-gnu"
for program in "$target"/usr/lib/postgresql/17/bin/*; do
  if linker=$(patchelf --print-interpreter "$program" 2> /dev/null); then
    patchelf --set-interpreter "$libraries/$(basename "$linker")" --force-rpath --set-rpath "$libraries" "$program"
  fi
done
# of what is shared only the server's own is needed, and compiling queries needs LLVM, which is not here
find "$target/usr/share" -mindepth 1 -maxdepth 1 -not -name postgresql -exec rm -rf {} +
rm -rf "$target"/usr/lib/postgresql/17/lib/{bitcode,llvmjit*}
"$target/usr/lib/postgresql/17/bin/postgres" --version > "$target/.done"
