// Which client gave which right token lately, as digests. Proof of nothing but this: that its bearer is not guessing.

const MAX_PROVEN = 10_000;

export class ProvenTokens {
  /** Least lately used first. */
  readonly #digests = new Set<string>();

  has(client: string, tokenDigest: string): boolean {
    return this.#digests.has(`${client} ${tokenDigest}`);
  }

  add(client: string, tokenDigest: string): void {
    this.remove(client, tokenDigest);
    this.#digests.add(`${client} ${tokenDigest}`);
    const [oldest] = this.#digests;
    if (this.#digests.size > MAX_PROVEN && oldest !== undefined) this.#digests.delete(oldest);
  }

  /** It is right no longer. */
  remove(client: string, tokenDigest: string): void {
    this.#digests.delete(`${client} ${tokenDigest}`);
  }
}
