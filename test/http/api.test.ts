import { describe, expect, it } from "vitest";
import { api } from "../../src/http/api/routes.ts";
import { ERROR_CODES } from "../../src/errors.ts";
import { statusOf } from "../../src/http/problem.ts";
import { call, codeOf } from "./api-client.ts";
import { checkOf, isPart, readOperations, type Part } from "./openapi.ts";

/** A path that the operation's template matches. */
function samplePath(path: string, app = "no-such-app"): string {
  return path.replaceAll(/\{app\}/g, app).replaceAll(/\{[^}]+\}/g, "1");
}

/** The codes of a refusal's schema. */
function codesIn(schema: Part | undefined): readonly (typeof ERROR_CODES)[number][] {
  const properties = schema?.["properties"];
  const code = isPart(properties) ? properties["code"] : undefined;
  const listed = isPart(code) ? code["enum"] : undefined;
  return ERROR_CODES.filter((known) => Array.isArray(listed) && listed.includes(known));
}

describe("the OpenAPI document", () => {
  it("is of version 3.1, names no host and is read without a token", async () => {
    const document = await (
      await call("GET", "/openapi.json", { token: "" })
    ).json<{ openapi: string; servers: unknown }>();
    expect(document).toMatchObject({ openapi: "3.1.0", servers: [{ url: "/api/v1" }] });
    expect(JSON.stringify(document)).not.toMatch(/https?:\/\//);
  });

  it("lists exactly the routes that there are", async () => {
    const documented = (await readOperations()).map(({ method, path }) => `${method} ${path}`);
    const routed = api.routes
      .filter(({ method, path }) => method !== "ALL" && method !== "OPTIONS" && path !== "/openapi.json")
      .map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)(\{[^}]*\})?/g, "{$1}")}`);
    expect(documented.toSorted()).toEqual([...new Set(routed)].toSorted());
    expect(documented.length).toBeGreaterThan(5);
  });

  it("says of every route what it does, who may call it and how it refuses", async () => {
    for (const { method, path, summary, security, responses, ...operation } of await readOperations()) {
      const name = `${method} ${path}`;
      expect(summary, name).toMatch(/^[A-Z].*[^.]$/);
      expect(security, name).toEqual([{ token: [] }]);
      expect(operation["x-slipway-access"], name).toMatch(/^(read|push|admin|host|any)$/);
      const refusals = Object.entries(responses).filter(([status]) => Number(status) >= 400);
      expect(refusals.map(([status]) => status)).toEqual(expect.arrayContaining(["401", "403", "429", "500", "503"]));
      for (const [status, { content = {} }] of refusals) {
        expect(Object.keys(content), `${name} ${status}`).toEqual(["application/problem+json"]);
        const codes = codesIn(content["application/problem+json"]?.schema);
        expect(codes.length, `${name} ${status}`).toBeGreaterThan(0);
        for (const code of codes) expect(statusOf(code), `${name} ${code}`).toBe(Number(status));
      }
    }
  });

  it("has examples and defaults that its own schemas allow", async () => {
    let count = 0;
    const visit = (schema: unknown, name: string): void => {
      if (Array.isArray(schema)) return schema.forEach((inner, at) => visit(inner, `${name}.${at}`));
      if (!isPart(schema)) return undefined;
      for (const key of ["example", "default"]) {
        if (schema[key] === undefined) continue;
        count += 1;
        const { error } = checkOf(schema).safeParse(schema[key]);
        expect(error?.issues ?? [], `${name}: ${key} ${JSON.stringify(schema[key])}`).toEqual([]);
      }
      const { properties, example: _example, default: _default, ...rest } = schema;
      for (const [key, inner] of [...Object.entries(rest), ...Object.entries(properties ?? {})])
        visit(inner, `${name}.${key}`);
      return undefined;
    };
    for (const { method, path, parameters, requestBody, responses } of await readOperations()) {
      visit([parameters, requestBody, responses], `${method} ${path}`);
    }
    expect(count).toBeGreaterThan(100);
  });

  it("lists only routes that answer, and none of them without a token", async () => {
    for (const [at, { method, path }] of (await readOperations()).entries()) {
      const name = `${method} ${path}`;
      const response = await call(method, samplePath(path), {
        token: "wrong",
        // A client each: so many guesses of one would be too many.
        headers: { "cf-connecting-ip": `192.0.2.${at}` },
        ...(method === "GET" ? {} : { body: {} }),
      });
      expect(response.status, name).toBe(401);
      expect(await codeOf(response), name).toBe("auth-required");
    }
  });
});

async function tokenFor(app: string, access: string): Promise<string> {
  const made = await call("POST", `/apps/${app}/tokens`, { body: { name: access, access } });
  return (await made.json<{ token: string }>()).token;
}

describe("a token for one app", () => {
  it("gets nowhere else, whether or not there is such an app", async () => {
    const made = await call("POST", "/tokens", { body: { name: "narrow", app: "mine", access: "admin" } });
    const { token } = await made.json<{ token: string }>();
    await call("POST", "/apps", { body: { name: "not-mine" } });
    for (const { method, path, "x-slipway-access": access } of await readOperations()) {
      const name = `${method} ${path}`;
      if (access === "any") continue;
      const answers = await Promise.all(
        ["not-mine", "no-such-app"].map((app) =>
          call(method, samplePath(path, app), { token, ...(method === "GET" ? {} : { body: {} }) }),
        ),
      );
      const texts = await Promise.all(answers.map((answer) => answer.text()));
      expect(
        answers.map(({ status }) => status),
        name,
      ).toEqual([403, 403]);
      expect(texts[0], name).toBe(texts[1]);
    }
  });

  it("does what its access says and no more", async () => {
    await call("POST", "/apps", { body: { name: "ladder" } });
    const allowed: Record<string, readonly string[]> = {
      read: ["read"],
      push: ["read", "push"],
      admin: ["read", "push", "admin"],
    };
    for (const [level, may] of Object.entries(allowed)) {
      const token = await tokenFor("ladder", level);
      for (const { method, path, "x-slipway-access": access = "" } of await readOperations()) {
        if (!path.includes("{app}") || access === "any" || method === "DELETE") continue;
        const { status } = await call(method, samplePath(path, "ladder"), {
          token,
          ...(method === "GET" ? {} : { body: {} }),
        });
        expect(status === 403, `${level} ${method} ${path}`).toBe(!may.includes(access));
      }
    }
  });
});

describe("the API", () => {
  it("makes, shows, changes, lists and removes an app", async () => {
    const made = await call("POST", "/apps", { body: { name: "api-life", deploy: false } });
    expect(made.status).toBe(201);
    expect(await made.json()).toMatchObject({
      name: "api-life",
      deploy: false,
      live: null,
      url: "http://api-life.localhost/",
    });
    const changed = await call("PATCH", "/apps/api-life", { body: { deploy: true } });
    expect(await changed.json()).toMatchObject({ deploy: true, denyNonFastForwards: false });
    const { apps } = await (await call("GET", "/apps?limit=1000")).json<{ apps: { name: string }[] }>();
    expect(apps.map(({ name }) => name)).toContain("api-life");
    expect(await (await call("GET", "/apps/api-life/deploys")).json()).toEqual({ deploys: [] });
    expect((await call("DELETE", "/apps/api-life?forever=1")).status).toBe(204);
    expect(await codeOf(await call("GET", "/apps/api-life"))).toBe("not-found");
    expect(await codeOf(await call("DELETE", "/apps/api-life"))).toBe("not-found");
  });

  it.each([
    ["a field of another type", "POST /apps", { name: 1 }, "invalid-request"],
    ["a missing field", "POST /apps", {}, "invalid-request"],
    ["a body that is no object", "POST /apps", [], "invalid-request"],
    ["a body that is not JSON", "POST /apps", "{", "invalid-request"],
    ["no body", "POST /apps", undefined, "invalid-request"],
    ["a name that no app can have", "POST /apps", { name: "Not--valid" }, "invalid-app-name"],
    ["a path that no app can have", "GET /apps/Not--valid", undefined, "invalid-app-name"],
    ["nothing to change", "PATCH /apps/x", {}, "invalid-request"],
    ["a page of none", "GET /apps?limit=0", undefined, "invalid-request"],
    ["a page that is no number", "GET /apps?limit=many", undefined, "invalid-request"],
    ["an app that is not there", "GET /apps/nothing-here/deploys", undefined, "not-found"],
    ["a path that is not there", "GET /nothing", undefined, "not-found"],
    ["a method that is not there", "PUT /apps", {}, "method-not-allowed"],
  ])("answers %s with problem details", async (_name, request, body, code) => {
    const [method = "", path = ""] = request.split(" ");
    expect(await codeOf(await call(method, path, { body }))).toBe(code);
  });

  it("says which methods a path has", async () => {
    const refused = await call("PUT", "/apps/x", { body: {} });
    expect(refused.status).toBe(405);
    expect(refused.headers.get("allow")?.split(", ").toSorted()).toEqual(["DELETE", "GET", "HEAD", "OPTIONS", "PATCH"]);
    const asked = await call("OPTIONS", "/apps/x", { token: "" });
    expect([asked.status, asked.headers.get("access-control-allow-origin")]).toEqual([204, null]);
    const head = await call("HEAD", "/apps");
    expect([head.status, await head.text()]).toEqual([200, ""]);
  });

  it("refuses a body of another type", async () => {
    const headers = { "content-type": "application/xml" };
    expect(await codeOf(await call("POST", "/apps", { body: "<x/>", headers }))).toBe("media-type-unsupported");
  });

  it("takes JSON whatever its type is called, as curl sends it", async () => {
    const headers = { "content-type": "application/x-www-form-urlencoded" };
    expect(await codeOf(await call("POST", "/apps", { body: { name: "UP" }, headers }))).toBe("invalid-app-name");
  });
});
