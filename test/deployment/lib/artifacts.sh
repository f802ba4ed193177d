# shellcheck shell=bash
# Releases to deploy: that of this checkout, and variants of it, which need no compilation.

# artifact_variant NAME [COMMAND…]: makes a variant of RELEASE with its own id. COMMAND runs in the release's folder and may
# change its files. Prints the path of the tarball.
artifact_variant() {
  local id=$RELEASE.$1 dir=$HOSTS_RUN/artifacts
  shift
  mkdir -p "$dir/serin-$id"
  tar -xzf "$ARTIFACT" -C "$dir/serin-$id" --strip-components=1
  sed -i "s/\"release\": .*/\"release\": \"$id\",/" "$dir/serin-$id/release.json"
  if [ $# -gt 0 ]; then (cd "$dir/serin-$id" && "$@"); fi
  tar -czf "$dir/serin-$id.tar.gz" -C "$dir" "serin-$id"
  (cd "$dir" && sha256sum "serin-$id.tar.gz" >"serin-$id.tar.gz.sha256")
  rm -rf "$dir/serin-$id"
  echo "$dir/serin-$id.tar.gz"
}

# Faults for artifact_variant.
break_start() { sed -i '1i throw new Error("broken on purpose");' dist/apps/app/main.js; }
break_readiness() { sed -i 's/"Redis has not answered yet" : null/"broken on purpose" : "broken on purpose"/' dist/apps/app/main.js; }
break_settings() { sed -i '/^function readConfig/a throw new Error("SPEED is missing: give one");' dist/apps/app/config.js; }
break_after_a_second() { sed -i '1i setTimeout(() => process.exit(3), 1500);' dist/apps/app/main.js; }
