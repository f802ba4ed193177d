# shellcheck shell=bash
# Variants of the releases that checks/10-package.sh makes, which need no compilation.

# artifact_variant NAME [COMMAND…]: makes a variant of the sample's release with the id $RELEASE.NAME, or of the tarball
# ARTIFACT_OF. COMMAND runs in the release's folder and may change its files. Prints the path of the tarball.
artifact_variant() {
  local of=${ARTIFACT_OF:-$SAMPLE} dir=$HOSTS_RUN/artifacts variant=$1 name
  shift
  name=$(basename "$of" .tar.gz).$variant
  mkdir -p "$dir/$name"
  tar -xzf "$of" -C "$dir/$name" --strip-components=1
  sed -i -E "s/(\"release\": *\"[^\"]*)\"/\1.$variant\"/" "$dir/$name"/{,.serin/}release.json 2>/dev/null
  if [ $# -gt 0 ]; then (cd "$dir/$name" && "$@") || return; fi
  (cd "$dir" && tar -czf "$name.tar.gz" "$name" && sha256sum "$name.tar.gz" >"$name.tar.gz.sha256")
  rm -rf "${dir:?}/$name"
  echo "$dir/$name.tar.gz"
}

# Faults for artifact_variant.
break_start() { echo 'echo broken on purpose >&2; exit 1' >.serin/run; }
break_readiness() { echo '{"path": "/never", "timeoutMs": 2000, "startMs": 3000}' >.serin/health; }
break_after_a_second() { sed -i 's/^/(sleep 1.5; kill -9 $$) \& /' .serin/run; }
break_settings() { echo 'export function readConfig() { throw new Error("SPEED is missing: give one"); }' >dist/apps/agent/config.js; }
