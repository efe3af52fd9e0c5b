// The doors in and out.
import { Hono } from "hono";
import { HostingError } from "../../errors.ts";
import { authenticate, refuseOtherOrigins } from "../auth.ts";
import { findSession, readForm, requireSession, signIn, signInByLink, signOut, type DashboardEnv } from "./session.ts";
import { readNext, SignInPage } from "./sign-in.tsx";

/** The answer to a token that signs nobody in: the page again, and why. */
const REFUSALS = ["auth-required", "auth-forbidden", "rate-limited", "host-not-configured"];

export const signInRoutes = new Hono<DashboardEnv>()
  .get("/sign-in", (c) => {
    return c.html(<SignInPage next={readNext(c.req.query("next"), new URL(c.req.url).origin)} />);
  })
  // Where signing in leads first: a browser that drops the cookie would otherwise be asked for the token again and never told why.
  .get("/sign-in/done", async (c) => {
    const next = readNext(c.req.query("next"), new URL(c.req.url).origin);
    if ((await findSession(c)) !== undefined) return c.redirect(next, 303);
    const problem = "Your browser did not keep the session. Away from the host's own machine, sessions need https.";
    return c.html(<SignInPage next={next} problem={problem} />, 401);
  })
  .post("/sign-in", async (c) => {
    refuseOtherOrigins(c.req.raw);
    const { token = "", next } = await readForm(c);
    const target = readNext(next, new URL(c.req.url).origin);
    try {
      const headers = new Headers(c.req.raw.headers);
      // Only what HTTP allows in a header: anything else is a wrong token, not an error of ours.
      headers.set("authorization", `Bearer ${/^[\x21-\x7E]+$/.test(token.trim()) ? token.trim() : "-"}`);
      await signIn(c, await authenticate(new Request(c.req.url, { headers }), c.env.host));
    } catch (error) {
      if (!(error instanceof HostingError) || !REFUSALS.includes(error.code)) throw error;
      const isWrong = error.code === "auth-required";
      const problem = isWrong ? "This is not a token of this host, or not one any more." : error.message;
      return c.html(<SignInPage next={target} problem={problem} />, isWrong ? 401 : 403);
    }
    return c.redirect(`/sign-in/done?next=${encodeURIComponent(target)}`, 303);
  })
  .get("/sign-in/:link", async (c) => {
    refuseOtherOrigins(c.req.raw);
    if (await signInByLink(c, c.req.param("link"))) return c.redirect("/sign-in/done", 303);
    const problem = "This link was used already, or is older than ten minutes. Sign in with the token instead.";
    return c.html(<SignInPage next="/apps" problem={problem} />, 401);
  })
  .post("/sign-out", requireSession, async (c) => {
    await signOut(c);
    return c.redirect("/", 303);
  });
