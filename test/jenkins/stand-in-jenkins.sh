# shellcheck shell=bash
# Package repositories for hosts without internet access: Debian packages, and signed stubs of Jenkins, Java and the plugin
# manager. Source deployment's hosts.sh and call hosts_open first.

readonly JENKINS_PORT_OF_MIRROR=8001
# What the role installs from Debian, without dependencies.
readonly JENKINS_HOST_PACKAGES="ca-certificates gpg git openssh-client ansible-core redis-server fontconfig jenkins-job-builder"

# Sets JENKINS_MIRROR (a URL) and JENKINS_KEY (the fingerprint of the signing key).
jenkins_mirror_open() {
  local mirror=$SCRATCH/mirror
  mkdir -p "$mirror/jenkins/binary" "$mirror/adoptium/dists/$SUITE/main/binary-$(dpkg --print-architecture)"
  fetch_host_packages "$mirror/debs"
  make_signing_key "$mirror"
  make_jenkins_package "$mirror/jenkins/binary"
  make_java_package "$mirror/adoptium/dists/$SUITE/main/binary-$(dpkg --print-architecture)"
  (cd "$mirror/jenkins" && dpkg-scanpackages binary >binary/Packages 2>/dev/null && sign_lists binary)
  (cd "$mirror/adoptium" && dpkg-scanpackages dists >"dists/$SUITE/main/binary-$(dpkg --print-architecture)/Packages" 2>/dev/null &&
    sign_lists "dists/$SUITE")
  echo "a stand-in" >"$mirror/plugin-manager.jar"
  sha256sum "$mirror/plugin-manager.jar" | cut -d' ' -f1 >"$mirror/plugin-manager.jar.sha256"
  python3 -m http.server --bind "$HOSTS_GATEWAY" --directory "$mirror" "$JENKINS_PORT_OF_MIRROR" >/dev/null 2>&1 &
  JENKINS_MIRROR_PID=$!
  # shellcheck disable=SC2034 # for the caller
  JENKINS_MIRROR=http://$HOSTS_GATEWAY:$JENKINS_PORT_OF_MIRROR
}

jenkins_mirror_close() { [ -z "${JENKINS_MIRROR_PID:-}" ] || kill "$JENKINS_MIRROR_PID" 2>/dev/null; }

# Downloads the packages that the host's root lacks, once.
fetch_host_packages() {
  local cache
  cache=${XDG_CACHE_HOME:-$HOME/.cache}/serin/jenkins-host-$(echo "$JENKINS_HOST_PACKAGES" "$HOSTS_CACHE" | sha256sum | cut -c1-12)
  if [ ! -d "$cache" ]; then
    echo "# fetching the Debian packages of a Jenkins host into $cache (once)" >&2
    mkdir -p "$cache.part/partial"
    # shellcheck disable=SC2086 # a list
    apt-get -qq -o Dir::State::status="$HOSTS_CACHE/root/var/lib/dpkg/status" -o Dir::Cache::archives="$cache.part" \
      --download-only -y --no-install-recommends install $JENKINS_HOST_PACKAGES >/dev/null || exit 69
    (cd "$cache.part" && rm -rf partial lock && dpkg-scanpackages --multiversion . >Packages 2>/dev/null)
    mv "$cache.part" "$cache"
  fi
  ln -s "$cache" "$1"
}

make_signing_key() {
  export GNUPGHOME=$SCRATCH/gnupg
  mkdir -m 0700 "$GNUPGHOME"
  gpg --batch --quiet --pinentry-mode loopback --passphrase '' --quick-generate-key "A stand-in <jenkins@example.com>" rsa2048 sign never 2>/dev/null
  gpg --batch --quiet --armor --export >"$1/key.asc" 2>/dev/null
  # shellcheck disable=SC2034 # for the caller
  JENKINS_KEY=$(gpg --batch --quiet --show-keys --with-colons "$1/key.asc" 2>/dev/null | awk -F: '$1 == "fpr" { print $10; exit }')
}

# sign_lists FOLDER: writes a signed InRelease for the package lists below it.
sign_lists() {
  local list
  (
    cd "$1" || exit 1
    {
      echo "Suite: $SUITE"
      echo "Components: main"
      echo "Date: $(LC_ALL=C date -Ru)"
      echo "SHA256:"
      find . -name Packages -printf '%P\n' | while read -r list; do
        echo " $(sha256sum "$list" | cut -d' ' -f1) $(stat -c %s "$list") $list"
      done
    } >Release
    gpg --batch --quiet --pinentry-mode loopback --passphrase '' --clearsign --output InRelease Release 2>/dev/null
  )
}

# pack FOLDER NAME VERSION: builds a package from $SCRATCH/package.
pack() {
  mkdir -p "$SCRATCH/package/DEBIAN"
  cat >"$SCRATCH/package/DEBIAN/control" <<CONTROL
Package: $2
Version: $3
Architecture: all
Maintainer: A stand-in <jenkins@example.com>
Description: stub of $2
CONTROL
  dpkg-deb --root-owner-group --build "$SCRATCH/package" "$1/$2_$3_all.deb" >/dev/null
  rm -rf "$SCRATCH/package"
}

# Has the layout of Jenkins' package; counts its starts and serves /login.
make_jenkins_package() {
  local package=$SCRATCH/package
  mkdir -p "$package"/{DEBIAN,usr/bin,usr/share/java,usr/lib/systemd/system}
  echo war >"$package/usr/share/java/jenkins.war"
  cat >"$package/usr/bin/jenkins" <<'PROGRAM'
#!/usr/bin/python3
import http.server, os
open(os.environ["JENKINS_HOME"] + "/starts", "a").write("%s\n" % os.environ.get("CASC_JENKINS_CONFIG"))
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/login" else 404)
        self.end_headers()
http.server.HTTPServer((os.environ["JENKINS_LISTEN_ADDRESS"], int(os.environ["JENKINS_PORT"])), Answer).serve_forever()
PROGRAM
  chmod +x "$package/usr/bin/jenkins"
  cat >"$package/usr/lib/systemd/system/jenkins.service" <<'UNIT'
[Unit]
Description=Stub of Jenkins
[Service]
User=jenkins
Group=jenkins
Environment=JENKINS_HOME=/var/lib/jenkins
Environment=JENKINS_PORT=8080
Environment=JENKINS_LISTEN_ADDRESS=0.0.0.0
ExecStart=/usr/bin/jenkins
[Install]
WantedBy=multi-user.target
UNIT
  cat >"$package/DEBIAN/postinst" <<'POSTINST'
#!/bin/sh
set -e
getent passwd jenkins >/dev/null || useradd --system --create-home --home-dir /var/lib/jenkins --shell /bin/bash jenkins
systemctl daemon-reload
systemctl enable --now --quiet jenkins
POSTINST
  chmod +x "$package/DEBIAN/postinst"
  pack "$1" jenkins 2.999.1
}

# The stub of Java imitates the plugin manager: it creates a file for each plugin of the list.
make_java_package() {
  local package=$SCRATCH/package
  mkdir -p "$package/usr/bin"
  cat >"$package/usr/bin/java" <<'PROGRAM'
#!/bin/sh
set -e
[ "$1 $2 $3 $4" = "-jar /opt/jenkins-plugin-manager.jar --war /usr/share/java/jenkins.war" ]
[ "$5 $7" = "--plugin-file --plugin-download-directory" ]
mkdir -p "$8"
grep -v '^#' "$6" | while read -r plugin; do echo hpi >"$8/$plugin.jpi"; done
PROGRAM
  chmod +x "$package/usr/bin/java"
  pack "$1" temurin-21-jre 21.0
}
