// An app's log: pages of it, and the log as it grows, as server-sent events or JSON lines.
import { createRoute, z } from "@hono/zod-openapi";
import { LOG_KINDS, LOG_LEVELS, type LogLine } from "../../app/log-line.ts";
import { printableJson } from "../../push-failure.ts";
import { cutPage, Next, NumberCursor, pageQuery } from "./paging.ts";
import { refuses } from "./refusals.ts";
import { AppPath, isoTime, makeRouter, needs, noSuchApp, Time } from "./resource.ts";

const LogLineJson = z
  .object({
    id: z.int().openapi({ description: "The place in the log: ascending, never used again." }),
    at: Time,
    environment: z.string().openapi({ description: '"app" is production, "preview:<name>" a preview.' }),
    deploy: z.int(),
    kind: z.enum(LOG_KINDS),
    level: z.enum(LOG_LEVELS),
    text: z.string().openapi({ description: "What the app wrote. Data: escape it where you show it." }),
  })
  .openapi("LogLine");

/** One line of a log. */
export type LogLineAnswer = z.infer<typeof LogLineJson>;

const Id = z.coerce.number().int().min(0).optional();

const LogQuery = pageQuery(NumberCursor).extend({
  after: Id.openapi({ description: "Only lines with a higher id." }),
  level: z.enum(LOG_LEVELS).optional().openapi({ description: "This level and those above it." }),
  kind: z.enum(LOG_KINDS).optional(),
  deploy: z.coerce.number().int().min(1).optional(),
  environment: z.string().max(100).optional(),
  text: z
    .string()
    .max(200)
    .optional()
    .openapi({ description: "Only lines with this in their text, whatever its case." }),
  follow: z
    .enum(["0", "1", "false", "true"])
    .optional()
    .openapi({ description: "1: go on with every line as it comes, until you hang up." }),
});

export const logs = makeRouter();

const listRoute = createRoute({
  method: "get",
  path: "/apps/{app}/logs",
  summary: "What the app said and threw, and who asked for what",
  description:
    "The newest lines that fit, oldest first; the next page has older ones. With follow=1 the answer does not end: server-sent events where Accept says " +
    'text/event-stream (Last-Event-ID goes on from there), else JSON lines, with an empty line now and then; {"missed": n} stands ' +
    "for lines that came faster than they were read.",
  ...needs("read"),
  ...refuses("not-found"),
  request: { params: AppPath, query: LogQuery },
  responses: {
    200: {
      description: "A page of the log, or the log as it grows.",
      content: {
        "application/json": { schema: z.object({ lines: z.array(LogLineJson), last: z.int(), next: Next }) },
        "text/event-stream": { schema: z.string() },
        "application/x-ndjson": { schema: z.string() },
      },
    },
  },
});

logs.openapi(listRoute, async (c) => {
  const { app } = c.req.valid("param");
  const { follow, deploy, environment, after, cursor, limit, ...filter } = c.req.valid("query");
  const lastEventId = Number(c.req.header("last-event-id"));
  const afterId = Number.isSafeInteger(lastEventId) && lastEventId > 0 ? lastEventId : after;
  const query = { ...filter, deployNumber: deploy, facet: environment, afterId, beforeId: cursor };
  const supervisor = c.env.host.env.SUPERVISOR.getByName(app);
  if (follow !== "1" && follow !== "true") {
    const found = await supervisor.readLogs({ ...query, limit: limit + 1 });
    if (found === undefined) throw noSuchApp(app);
    const { page, next } = cutPage(c, found.toReversed(), { limit, keyOf: ({ id }) => id });
    return c.json({ lines: page.toReversed().map(lineJson), last: page[0]?.id ?? afterId ?? 0, next }, 200);
  }
  const stream = await supervisor.followLogs({ ...query, limit });
  if (stream === undefined) throw noSuchApp(app);
  const isEventStream = c.req.header("accept")?.includes("text/event-stream") === true;
  const type = isEventStream ? "text/event-stream" : "application/x-ndjson";
  const body = stream.pipeThrough(new TextDecoderStream()).pipeThrough(byLine(isEventStream ? toEvent : toJsonLine));
  return c.body(body.pipeThrough(new TextEncoderStream()), 200, { "content-type": `${type}; charset=utf-8` });
});

function lineJson({ atMs, facet, deployNumber, ...line }: LogLine): z.infer<typeof LogLineJson> {
  return { ...line, at: isoTime(atMs), environment: facet, deploy: deployNumber };
}

/** Cuts text at its newlines and writes each line anew. */
function byLine(write: (line: string) => string): TransformStream<string, string> {
  let rest = "";
  return new TransformStream({
    transform(text, controller) {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) controller.enqueue(write(line));
    },
  });
}

function toJsonLine(line: string): string {
  const parsed = parse(line);
  if (parsed === undefined) return "\n";
  return `${printableJson("missed" in parsed ? parsed : lineJson(parsed))}\n`;
}

/** A server-sent event (the HTML standard's "event stream" format); a comment where there is nothing to tell. */
function toEvent(line: string): string {
  const parsed = parse(line);
  if (parsed === undefined) return ":\n\n";
  if ("missed" in parsed) return `event: missed\ndata: ${JSON.stringify(parsed)}\n\n`;
  return `id: ${parsed.id}\nevent: line\ndata: ${printableJson(lineJson(parsed))}\n\n`;
}

function parse(line: string): LogLine | { readonly missed: number } | undefined {
  return line === "" ? undefined : JSON.parse(line);
}
