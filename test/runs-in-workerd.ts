// A pool that fails to start can fall back to Node and look like a pass. Every unit test file begins with this check.
import { expect } from "vitest";

expect(navigator.userAgent).toBe("Cloudflare-Workers");
