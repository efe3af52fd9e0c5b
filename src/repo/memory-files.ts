// A file system in memory with the methods that isomorphic-git asks for, enough for it to write objects.

interface Stats {
  readonly type: "file" | "dir";
  readonly mode: number;
  readonly size: number;
  readonly mtimeMs: number;
  isFile(): boolean;
  isDirectory(): boolean;
  isSymbolicLink(): boolean;
}

/** Pass it to isomorphic-git as `fs`. Folders need not be made, and nothing is ever removed. */
export class MemoryFiles {
  /** By path, in the order in which they were written. */
  readonly files = new Map<string, Uint8Array>();

  /** isomorphic-git looks for an own, enumerable property of this name, and wants all ten methods in it. */
  readonly promises = {
    // It calls readFile without a path once, to see that the methods return promises; that one has to fail as well.
    readFile: async (path?: string): Promise<Uint8Array> => this.files.get(path ?? "") ?? notThere(path),
    writeFile: async (path: string, content: Uint8Array | string): Promise<void> => {
      this.files.set(path, typeof content === "string" ? new TextEncoder().encode(content) : content);
    },
    mkdir: async (): Promise<void> => {},
    rmdir: async (path: string): Promise<never> => notThere(path),
    unlink: async (path: string): Promise<never> => notThere(path),
    readdir: async (path: string): Promise<string[]> => {
      const names = [...this.files.keys()].filter((file) => file.startsWith(`${path}/`));
      return [
        ...new Set(
          names.map((file) =>
            file
              .slice(path.length + 1)
              .split("/", 1)
              .join(""),
          ),
        ),
      ];
    },
    stat: async (path: string): Promise<Stats> => this.#stat(path),
    lstat: async (path: string): Promise<Stats> => this.#stat(path),
    readlink: async (path: string): Promise<never> => notThere(path),
    symlink: async (path: string): Promise<never> => notThere(path),
  };

  #stat(path: string): Stats {
    const size = this.files.get(path)?.byteLength;
    const isFolder = size === undefined && [...this.files.keys()].some((file) => file.startsWith(`${path}/`));
    if (size === undefined && !isFolder) return notThere(path);
    return {
      type: isFolder ? "dir" : "file",
      mode: isFolder ? 0o40755 : 0o100644,
      size: size ?? 0,
      mtimeMs: 0,
      isFile: () => !isFolder,
      isDirectory: () => isFolder,
      isSymbolicLink: () => false,
    };
  }
}

/** isomorphic-git goes by the code. */
function notThere(path = ""): never {
  throw Object.assign(new Error(`There is no file ${path}.`), { code: "ENOENT" });
}
