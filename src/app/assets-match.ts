// Which asset answers a path, by the rules of Cloudflare's static assets: html_handling says where a page's own address is and which
// other addresses lead there, not_found_handling what is served where nothing matches. Pure. Paths are looked up in a map after
// decoding and never become the name of anything, so none leads out of the assets.
import type { AssetFile, AssetServing } from "../store/assets.ts";

/** Files by path. */
export type AssetFiles = ReadonlyMap<string, AssetFile>;

/** How paths are read. */
export type Handling = Pick<AssetServing, "htmlHandling" | "notFoundHandling">;

/** What a path comes to. */
export type AssetMatch =
  | { readonly kind: "file"; readonly file: AssetFile; readonly status: 200 | 404 }
  /** To a path, encoded and beginning with one "/". */
  | { readonly kind: "redirect"; readonly to: string }
  | { readonly kind: "none" };

/** A way to answer a path: serve a file if it is there, or lead to where it is served. */
type Step = { readonly serve: string } | { readonly file: string; readonly to: string };

/** Finds what answers a path as a URL has it. */
export function matchAsset(files: AssetFiles, handling: Handling, pathname: string): AssetMatch {
  const path = decodePath(pathname);
  const found = follow(files, handling, path, true);
  if (found === undefined) return findNotFound(files, handling, path);
  if ("to" in found) return { kind: "redirect", to: encodePath(found.to) };
  // One address for each file: "/%61" leads to "/a".
  const canonical = encodePath(path);
  return canonical === pathname ? { kind: "file", file: found.file, status: 200 } : { kind: "redirect", to: canonical };
}

/** The first step that can be taken. */
function follow(
  files: AssetFiles,
  handling: Handling,
  path: string,
  mayRedirect: boolean,
): { readonly file: AssetFile } | { readonly to: string } | undefined {
  for (const step of STEPS[handling.htmlHandling](path)) {
    const file = files.get("serve" in step ? step.serve : step.file);
    if (file === undefined) continue;
    if ("serve" in step) return { file };
    if (mayRedirect && leadsTo(files, handling, step.to, file)) return { to: step.to };
  }
  return undefined;
}

/** Whether this very file is served at a path, and not because that is its name. */
function leadsTo(files: AssetFiles, handling: Handling, path: string, file: AssetFile): boolean {
  if (files.has(path)) return false;
  const there = follow(files, handling, path, false);
  return there !== undefined && "file" in there && there.file.blobId === file.blobId;
}

function findNotFound(files: AssetFiles, { notFoundHandling }: Handling, path: string): AssetMatch {
  if (notFoundHandling === "single-page-application") {
    const file = files.get("/index.html");
    return file === undefined ? { kind: "none" } : { kind: "file", file, status: 200 };
  }
  if (notFoundHandling === "none") return { kind: "none" };
  for (let folder = path; folder !== "";) {
    folder = folder.slice(0, folder.lastIndexOf("/"));
    const file = files.get(`${folder}/404.html`);
    if (file !== undefined) return { kind: "file", file, status: 404 };
  }
  return { kind: "none" };
}

/** The steps for a path, in their order. */
const STEPS: Readonly<Record<AssetServing["htmlHandling"], (path: string) => readonly Step[]>> = {
  "auto-trailing-slash": (path) => [
    ...autoSteps(path),
    { serve: path },
    { serve: `${path}.html` },
    { file: `${path}/index.html`, to: `${path}/` },
  ],
  "force-trailing-slash": (path) => [
    ...forceSteps(path),
    { serve: path },
    { file: `${path}.html`, to: `${path}/` },
    { file: `${path}/index.html`, to: `${path}/` },
  ],
  "drop-trailing-slash": (path) => [
    ...dropSteps(path),
    { serve: path },
    { serve: `${path}.html` },
    { serve: `${path}/index.html` },
  ],
  none: (path) => [{ serve: path }],
};

/** Pages without a slash, folders with one. */
function autoSteps(path: string): Step[] {
  const index = withoutEnd(path, "/index");
  if (index !== undefined) {
    return [{ serve: path }, { file: `${path}.html`, to: `${index}/` }, { file: `${index}.html`, to: index }];
  }
  const indexHtml = withoutEnd(path, "/index.html");
  if (indexHtml !== undefined)
    return [
      { file: path, to: `${indexHtml}/` },
      { file: `${indexHtml}.html`, to: indexHtml },
    ];
  const folder = withoutEnd(path, "/");
  if (folder !== undefined) return [{ serve: `${path}index.html` }, { file: `${folder}.html`, to: folder }];
  const page = withoutEnd(path, ".html");
  return page === undefined
    ? []
    : [
        { file: path, to: page },
        { file: `${page}/index.html`, to: `${page}/` },
      ];
}

/** Pages and folders with a slash. */
function forceSteps(path: string): Step[] {
  const index = withoutEnd(path, "/index");
  if (index !== undefined) {
    return [{ serve: path }, { file: `${path}.html`, to: `${index}/` }, { file: `${index}.html`, to: `${index}/` }];
  }
  const indexHtml = withoutEnd(path, "/index.html");
  if (indexHtml !== undefined) {
    return [
      { file: path, to: `${indexHtml}/` },
      { file: `${indexHtml}.html`, to: `${indexHtml}/` },
    ];
  }
  const folder = withoutEnd(path, "/");
  if (folder !== undefined) return [{ serve: `${path}index.html` }, { serve: `${folder}.html` }];
  const page = withoutEnd(path, ".html");
  if (page === undefined) return [];
  return [{ file: path, to: `${page}/` }, { serve: path }, { file: `${page}/index.html`, to: `${page}/` }];
}

/** Pages and folders without a slash; the root has no other name. */
function dropSteps(path: string): Step[] {
  if (path === "/index") return [{ serve: path }, { file: "/index.html", to: "/" }];
  if (path === "/index.html") return [{ file: path, to: "/" }];
  if (path === "/") return [{ serve: "/index.html" }];
  const index = withoutEnd(path, "/index");
  if (index !== undefined) {
    return [{ serve: path }, { file: `${index}.html`, to: index }, { file: `${path}.html`, to: index }];
  }
  const indexHtml = withoutEnd(path, "/index.html");
  if (indexHtml !== undefined) {
    return [{ file: path, to: indexHtml }, { serve: path }, { file: `${indexHtml}.html`, to: indexHtml }];
  }
  const folder = withoutEnd(path, "/");
  if (folder !== undefined) {
    return [
      { file: `${folder}.html`, to: folder },
      { file: `${folder}/index.html`, to: folder },
    ];
  }
  const page = withoutEnd(path, ".html");
  return page === undefined
    ? []
    : [
        { file: path, to: page },
        { file: `${page}/index.html`, to: page },
      ];
}

function withoutEnd(path: string, end: string): string | undefined {
  return path.endsWith(end) ? path.slice(0, -end.length) : undefined;
}

/** Part by part, since a part may be no valid encoding. Slashes that come together are one: "//host" would lead away. */
function decodePath(pathname: string): string {
  return pathname.split("/").map(decodePart).join("/").replaceAll(/\/+/g, "/");
}

function decodePart(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

function encodePath(path: string): string {
  return path.split("/").map(encodeURIComponent).join("/");
}
