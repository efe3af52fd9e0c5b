// The table of bookmarks. Functions over the database; nothing here knows of HTTP.

export interface Bookmark {
  url: string;
  tag: string;
}

export interface SavedBookmark extends Bookmark {
  id: number;
}

type Row = Record<string, SqlStorageValue> & SavedBookmark;

export function createTable(sql: SqlStorage): void {
  sql.exec("CREATE TABLE IF NOT EXISTS bookmarks (id INTEGER PRIMARY KEY, url TEXT NOT NULL, tag TEXT NOT NULL)");
}

/** The newest first; with a tag, only those that have it. */
export function listBookmarks(sql: SqlStorage, tag?: string): SavedBookmark[] {
  return tag === undefined
    ? sql.exec<Row>("SELECT id, url, tag FROM bookmarks ORDER BY id DESC LIMIT 100").toArray()
    : sql.exec<Row>("SELECT id, url, tag FROM bookmarks WHERE tag = ? ORDER BY id DESC LIMIT 100", tag).toArray();
}

export function findBookmark(sql: SqlStorage, id: number): SavedBookmark | undefined {
  return sql.exec<Row>("SELECT id, url, tag FROM bookmarks WHERE id = ?", id).toArray()[0];
}

export function saveBookmark(sql: SqlStorage, { url, tag }: Bookmark): SavedBookmark {
  return sql.exec<Row>("INSERT INTO bookmarks (url, tag) VALUES (?, ?) RETURNING id, url, tag", url, tag).one();
}

/** Whether there was one. */
export function deleteBookmark(sql: SqlStorage, id: number): boolean {
  return sql.exec("DELETE FROM bookmarks WHERE id = ? RETURNING id", id).toArray().length > 0;
}

/** What a client sent, if it is a bookmark. */
export function readBookmark(value: unknown): Bookmark | undefined {
  if (typeof value !== "object" || value === null || !("url" in value)) return undefined;
  const { url } = value;
  const tag = "tag" in value ? value.tag : "";
  if (typeof url !== "string" || typeof tag !== "string" || tag.length > 40) return undefined;
  return /^https?:/.test(url) && url.length <= 2000 && URL.canParse(url) ? { url, tag } : undefined;
}
