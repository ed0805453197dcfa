# Programs of any Debian release in a directory of their own, for the scripts beside this one. Needs apt, and patchelf in
# the PATH. Nothing is installed into the system. The binaries bring their libc and look for it where they were
# unpacked, so the directory cannot be moved.

# unpack SUITE DIRECTORY PACKAGE...
unpack() {
  local suite=$1 target=$2 work mirror package
  shift 2
  work=$(mktemp -d -t debian.XXXXXX)
  # shellcheck disable=SC2064  # this directory, also where another is unpacked later
  trap "rm -rf '$work'" EXIT
  chmod 755 "$work"

  # the mirror that this machine uses, with lists and a status of our own
  mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -m 1 -E '/debian/?$') || {
    echo "apt knows no Debian mirror" >&2
    exit 1
  }
  mkdir -p "$work"/{sources,lists/partial,cache/archives/partial,packages}
  touch "$work/status"
  cat > "$work/sources/$suite.sources" << END
Types: deb
URIs: $mirror
Suites: $suite
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
END
  private() {
    apt-get -qq -o Dir::Etc::sourcelist=/dev/null -o Dir::Etc::sourceparts="$work/sources" -o Dir::State::lists="$work/lists" \
      -o Dir::Cache="$work/cache" -o Dir::State::status="$work/status" -o APT::Sandbox::User=root -o Debug::NoLocking=1 "$@"
  }

  private update
  (cd "$work/packages" && private download "$@")
  rm -rf "$target"
  mkdir -p "$target"
  for package in "$work"/packages/*.deb; do
    dpkg-deb -x "$package" "$target"
  done
  rm -rf "$work"
}

# relink DIRECTORY PROGRAM...: make them use the libraries that were unpacked with them
relink() {
  local target=$1 libraries program linker
  shift
  libraries="$target/usr/lib/$(uname -m)-linux-gnu"
  # before Debian 13 some libraries are in /lib, which is no link here
  if [[ -d "$target/lib" && ! -L "$target/lib" ]]; then
    cp -a "$target/lib/." "$target/usr/lib/"
    rm -rf "$target/lib"
  fi
  for program in "$@"; do
    if linker=$(patchelf --print-interpreter "$program" 2> /dev/null); then
      patchelf --set-interpreter "$libraries/$(basename "$linker")" --force-rpath --set-rpath "$libraries" "$program"
    fi
  done
}
