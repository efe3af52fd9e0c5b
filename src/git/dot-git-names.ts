// Names that some file system takes for .git, .gitmodules or .gitattributes (path.c, is_ntfs_dot_generic; utf8.c,
// is_hfs_dot_generic). NTFS drops trailing dots and spaces, has streams after a colon and short names such as GIT~1; HFS+ ignores
// letter case and some invisible code points. Every tree is checked for all of them, whatever system the host or its clients use.

/** What a name of a tree entry can be taken for. */
export type DotGitName = "git" | "gitmodules" | "gitattributes";

const decoder = new TextDecoder("utf-8", { fatal: false, ignoreBOM: true });

const NTFS_GIT = /(?:^|\\)(?:\.git|git~1)[. ]*(?:$|[\\/:])/i;
/** The hexadecimal digits are those of the hash that NTFS puts into a short name once four others are taken. */
const NTFS_GITMODULES = ntfsNames("(?:^|\\\\)", "gitmodules", "gi7eba");
const NTFS_GITATTRIBUTES = ntfsNames("^", "gitattributes", "gi7d29");

const HFS_IGNORED = /[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]/g;
/** What is not UTF-8 ends a name for git's check; U+FFFD stands for it here. */
const HFS_NAME = /^\.(git|gitmodules|gitattributes)(?:$|[/\ufffd-\uffff])/i;

/**
 * What the name in bytes[start, end) can be taken for; usually nothing. `hasBackslash` is for the caller to know, who has looked at
 * every byte already: names that cannot be meant are then told by their first two bytes.
 */
export function dotGitNamesIn(
  bytes: Uint8Array,
  range: { readonly start: number; readonly end: number; readonly hasBackslash: boolean },
): readonly DotGitName[] {
  const { start, end, hasBackslash } = range;
  if (!hasBackslash && !canBeDotGit(bytes[start] ?? 0, bytes[start + 1] ?? 0)) return NONE;
  const name = decoder.decode(bytes.subarray(start, end));
  const found: DotGitName[] = [];
  const hfsName = HFS_NAME.exec(name.replaceAll(HFS_IGNORED, ""))?.[1]?.toLowerCase();
  if (hfsName === "git" || NTFS_GIT.test(name)) found.push("git");
  if (hfsName === "gitmodules" || NTFS_GITMODULES.test(name)) found.push("gitmodules");
  if (hfsName === "gitattributes" || NTFS_GITATTRIBUTES.test(name)) found.push("gitattributes");
  return found;
}

const NONE: readonly DotGitName[] = [];

/** ".", "~" and the lead bytes of the ignored code points say maybe; "g" does before "i" and "~". */
function canBeDotGit(first: number, second: number): boolean {
  if (first === 0x2e || first === 0x7e || first === 0xe2 || first === 0xef) return true;
  return (first | 0x20) === 0x67 && ((second | 0x20) === 0x69 || second === 0x7e);
}

/** The long name, its first four short names, and the fall-back ones: some of `hashed`, a tilde, and digits up to eight characters. */
function ntfsNames(start: string, long: string, hashed: string): RegExp {
  const names = [`\\.${long}`, `${long.slice(0, 6)}~[1-4]`];
  for (let kept = 0; kept <= 6; kept++) {
    names.push(`${hashed.slice(0, kept)}~[1-9][0-9]{${6 - kept}}`);
  }
  return new RegExp(`${start}(?:${names.join("|")})[ .]*(?:$|:)`, "i");
}
