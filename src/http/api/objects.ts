// The Durable Objects that an app names, each with a database of its own.
import { createRoute, z } from "@hono/zod-openapi";
import { HostingError } from "../../errors.ts";
import { cutPage, Next, pageQuery } from "./paging.ts";
import { refuses } from "./refusals.ts";
import { AppPath, isoTime, json, makeRouter, needs, noSuchApp, Time } from "./resource.ts";

const Environment = z.string().max(100).default("app").openapi({
  description: '"app" is production, "preview:<name>" a preview, "snapshot:<id>" a snapshot of production.',
});
const ClassName = z.string().max(100).openapi({ example: "Room" });
const ObjectId = z.string().regex(/^[0-9a-f]{64}$/);

const ObjectsJson = z
  .object({
    objects: z.array(
      z.object({
        class: z.string(),
        id: z.string(),
        name: z.string().nullable().openapi({ description: "null: it has none, or it was only reached by its ID." }),
        createdAt: Time,
        usedAt: Time.openapi({ description: "To the hour." }),
      }),
    ),
    next: Next,
    classes: z.array(
      z.object({
        class: z.string(),
        count: z.int(),
        live: z.boolean().openapi({ description: "Whether what is live has the class. What it held is kept if not." }),
      }),
    ),
    count: z.int(),
    limit: z.int().openapi({ description: "How many each environment may have: the quota." }),
  })
  .openapi("Objects");

export const objects = makeRouter();

const listRoute = createRoute({
  method: "get",
  path: "/apps/{app}/objects",
  summary: "The Durable Objects of an environment, by class and ID",
  ...needs("read"),
  ...refuses("not-found"),
  request: {
    params: AppPath,
    query: pageQuery(z.string().regex(/^[\w$]{1,100}\/[0-9a-f]{64}$/)).extend({
      environment: Environment,
      class: ClassName.optional(),
    }),
  },
  responses: { 200: json(ObjectsJson, "A page of them, and how many there are.") },
});

objects.openapi(listRoute, async (c) => {
  const { app } = c.req.valid("param");
  const { environment: facet, class: className, limit, cursor } = c.req.valid("query");
  const [afterClass, afterId] = cursor?.split("/") ?? [];
  const after =
    afterClass === undefined || afterId === undefined ? undefined : { className: afterClass, objectId: afterId };
  const query = { facet, className, limit: limit + 1, after };
  const found = await c.env.host.env.SUPERVISOR.getByName(app).listObjects(query);
  if (found === undefined) throw noSuchApp(app);
  const keyOf = (object: (typeof found.objects)[number]): string => `${object.className}/${object.objectId}`;
  const { page, next } = cutPage(c, found.objects, { limit, keyOf });
  return c.json(
    {
      objects: page.map((object) => ({
        class: object.className,
        id: object.objectId,
        name: object.name ?? null,
        createdAt: isoTime(object.createdAtMs),
        usedAt: isoTime(object.usedAtMs),
      })),
      classes: found.classes.map((each) => ({ class: each.className, count: each.count, live: each.isLive })),
      count: found.count,
      limit: found.limit,
      next,
    },
    200,
  );
});

const deleteRoute = createRoute({
  method: "delete",
  path: "/apps/{app}/objects/{class}/{id}",
  summary: "Delete a Durable Object with its data",
  ...needs("admin"),
  ...refuses("not-found"),
  request: {
    params: AppPath.extend({
      class: ClassName.openapi({ param: { name: "class", in: "path" } }),
      id: ObjectId.openapi({ param: { name: "id", in: "path" } }),
    }),
    query: z.object({ environment: Environment }),
  },
  responses: { 204: { description: "It is gone. The app gets a new one if it names it again." } },
});

objects.openapi(deleteRoute, async (c) => {
  const { app, class: className, id: objectId } = c.req.valid("param");
  const { environment: facet } = c.req.valid("query");
  const supervisor = c.env.host.env.SUPERVISOR.getByName(app);
  if (!(await supervisor.deleteObject({ facet, className, objectId }))) {
    throw new HostingError(
      "not-found",
      `There is no object ${objectId} of the class ${className} in ${facet} of ${app}.`,
    );
  }
  return c.body(null, 204);
});
