# shellcheck shell=bash
# Releases to deploy: the real one of this checkout, and others made from it, for which nothing needs to be compiled.

# artifact_variant NAME [COMMAND…]: the release RELEASE with another id, after COMMAND has changed its files (it runs in
# their folder). Prints the tarball's path.
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

# Programs that go wrong, for artifact_variant.
break_start() { sed -i '1i throw new Error("broken on purpose");' dist/apps/app/main.js; }
break_readiness() { sed -i 's/"Redis has not answered yet" : null/"broken on purpose" : "broken on purpose"/' dist/apps/app/main.js; }
break_settings() { sed -i '/export function readConfig/a throw new Error("SPEED is missing: give one");' dist/apps/app/config.js; }
break_after_a_second() { sed -i '1i setTimeout(() => process.exit(3), 1500);' dist/apps/app/main.js; }
