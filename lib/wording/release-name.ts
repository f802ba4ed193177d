const RELEASE = /^(?:(.+)-)?\d{14}-([\da-f]{10})$/;

/**
 * Short names for titles: `0.2.0-81fd353` of `0.2.0-20261124000747-81fd353b24`. Other versions stay as they are.
 *
 * @param versions one, or several separated by commas
 */
export function nameRelease(versions: string | undefined): string | undefined {
  return versions
    ?.split(", ")
    .map((version) => {
      const [, name, commit] = RELEASE.exec(version) ?? [];
      if (commit === undefined) return version;
      return [name, commit.slice(0, 7)].filter(Boolean).join("-");
    })
    .join(", ");
}

/** The commit in a release's name; undefined if it names none. */
export function commitOf(release: string | undefined): string | undefined {
  return RELEASE.exec(release ?? "")?.[2];
}
