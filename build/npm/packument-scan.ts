// A package's document as it streams in, one version at a time: the documents of packages with many versions have 50 MB and more,
// of which a few fields of each version matter, and no Worker could hold the rest as values.

/** Takes the parts that matter: `version` is undefined for the document's `dist-tags`. */
export type TakePart = (version: string | undefined, value: unknown) => void;

/** Reads a document piece by piece. `write` throws a SyntaxError where a part of it is no JSON. */
export class PackumentScan {
  readonly #take: TakePart;
  readonly #keys: string[] = [];
  #depth = 0;
  #isInString = false;
  /** Whether the piece before ended with a backslash of a string. */
  #isEscaped = false;
  #string = "";
  /** What is being taken, from this depth on. */
  #taken: { readonly depth: number; text: string } | undefined;

  constructor(take: TakePart) {
    this.#take = take;
  }

  /** Whether everything that was opened is closed. */
  get isComplete(): boolean {
    return this.#depth === 0 && !this.#isInString && this.#keys[0] !== undefined;
  }

  write(text: string): void {
    let from = 0;
    for (let at = 0; at < text.length; at++) {
      if (this.#isInString) {
        at = this.#endString(text, at);
        continue;
      }
      const char = text[at];
      if (char === '"') {
        this.#isInString = true;
        this.#string = "";
      } else if (char === ":" && this.#taken === undefined) {
        const key: unknown = JSON.parse(`"${this.#string}"`);
        this.#keys[this.#depth - 1] = String(key);
      } else if (char === "{" || char === "[") {
        this.#depth += 1;
        if (this.#taken === undefined && this.#isPart()) {
          this.#taken = { depth: this.#depth, text: "" };
          from = at;
        }
      } else if (char === "}" || char === "]") {
        if (this.#taken?.depth === this.#depth) this.#give(this.#taken.text + text.slice(from, at + 1));
        this.#depth -= 1;
      }
    }
    if (this.#taken !== undefined) this.#taken.text += text.slice(from);
  }

  /** Goes on to a string's last quote, or to the end of the text. */
  #endString(text: string, start: number): number {
    let at = start;
    for (; at < text.length; at++) {
      if (this.#isEscaped) this.#isEscaped = false;
      else if (text[at] === "\\") this.#isEscaped = true;
      else if (text[at] === '"') {
        this.#isInString = false;
        break;
      }
    }
    // Only keys of the two outermost tables are looked at.
    if (this.#taken === undefined && this.#depth <= 2) this.#string += text.slice(start, at);
    return at;
  }

  #isPart(): boolean {
    if (this.#depth === 2) return this.#keys[0] === "dist-tags";
    return this.#depth === 3 && this.#keys[0] === "versions";
  }

  #give(text: string): void {
    const version = this.#taken?.depth === 3 ? this.#keys[1] : undefined;
    this.#taken = undefined;
    this.#take(version, JSON.parse(text));
  }
}
