// Links that sign a browser in: for whoever has a token at hand in a terminal and wants the dashboard.
import { createRoute, z } from "@hono/zod-openapi";
import { isoTime, json, makeRouter, needs, Time } from "./resource.ts";

const LinkJson = z
  .object({
    url: z.string().openapi({ description: "Open it in a browser. It works once." }),
    expiresAt: Time,
  })
  .openapi("SignInLink");

export const signInLinks = makeRouter();

const makeRoute = createRoute({
  method: "post",
  path: "/sign-in-links",
  summary: "Make a link that signs a browser in to the dashboard, once, within ten minutes",
  description: "The browser may then do what the token may that asked for the link, until that token ends.",
  ...needs("any"),
  responses: { 201: json(LinkJson, "The link.") },
});

signInLinks.openapi(makeRoute, async (c) => {
  const directory = c.env.host.env.DIRECTORY.getByName("directory");
  const { text, expiresAtMs } = await directory.openSession("link", c.get("caller").tokenId);
  return c.json({ url: `${new URL(c.req.url).origin}/sign-in/${text}`, expiresAt: isoTime(expiresAtMs) }, 201);
});
