// How routes refuse, as the OpenAPI document says it: the codes that a route names itself and those that every route of its kind may
// answer with, by status.
import { ERROR_CODES, type ErrorCode } from "../../errors.ts";
import { statusOf } from "../problem.ts";

const CODES = "x-slipway-codes";

/** The codes that a route's own handler refuses with. Spread it into the declaration; the rest is added in describeRefusals. */
export function refuses(...codes: readonly ErrorCode[]): { readonly [CODES]: readonly ErrorCode[] } {
  return { [CODES]: codes };
}

/** What is said where nothing is pushed or deployed: to visitors, to git, of calls, of data. */
const NOT_OF_A_DEPLOY: readonly ErrorCode[] = [
  "auth-required",
  "auth-forbidden",
  "rate-limited",
  "host-not-configured",
  "method-not-allowed",
  "idempotency-mismatch",
  "idempotency-running",
  "invalid-app-name",
  "app-exists",
  "service-unknown",
  "media-type-unsupported",
  "build-warning",
  "install-script",
  "snapshot-needed",
  "sql-failed",
  "sql-read-only",
  "sql-timeout",
  "archive-invalid",
  "app-not-found",
  "preview-expired",
  "preview-not-found",
  "deploy-not-found",
  "app-busy",
  "internal-error",
];

/** What any stage of a push, a commit or another deploy may refuse with. */
export const DEPLOY_CODES: readonly ErrorCode[] = ERROR_CODES.filter((code) => !NOT_OF_A_DEPLOY.includes(code));

const EVERYWHERE: readonly ErrorCode[] = [
  "auth-required",
  "auth-forbidden",
  "rate-limited",
  "host-not-configured",
  "internal-error",
];

/** What of an operation is looked at. */
interface Operation {
  readonly parameters?: readonly { readonly name?: string }[];
  readonly requestBody?: { readonly content?: Readonly<Record<string, unknown>> };
  readonly responses?: Readonly<Record<string, unknown>>;
  readonly [CODES]?: readonly ErrorCode[];
}

/** The document with a response for each status that an operation may refuse with. It has the schema Problem. */
export function describeRefusals<T extends { readonly paths?: object | undefined }>(document: T): T {
  const documented: readonly (readonly [path: string, methods: Readonly<Record<string, Operation>>])[] = Object.entries(
    document.paths ?? {},
  );
  const paths = documented.map(([path, methods]) => {
    const described = Object.entries(methods).map(([method, operation]) => {
      const { [CODES]: own = [], ...rest } = operation;
      const codes = new Set([...codesOf(path, method, operation), ...own]);
      return [method, { ...rest, responses: { ...rest.responses, ...responsesOf(codes) } }] as const;
    });
    return [path, Object.fromEntries(described)] as const;
  });
  return { ...document, paths: Object.fromEntries(paths) };
}

function codesOf(path: string, method: string, { parameters = [], requestBody }: Operation): readonly ErrorCode[] {
  const isPost = method === "post";
  const isJson = requestBody?.content?.["application/json"] !== undefined;
  const isChecked = isPost || requestBody !== undefined || parameters.some(({ name }) => name !== "app");
  return [
    ...EVERYWHERE,
    ...(path.includes("{app}") ? (["invalid-app-name"] as const) : []),
    ...(isChecked ? (["invalid-request"] as const) : []),
    ...(isJson ? (["push-too-large", "media-type-unsupported"] as const) : []),
    ...(isPost ? (["idempotency-mismatch", "idempotency-running"] as const) : []),
  ];
}

function responsesOf(codes: ReadonlySet<ErrorCode>): Record<string, unknown> {
  const byStatus = Map.groupBy(codes, statusOf);
  return Object.fromEntries(
    [...byStatus].map(([status, listed]) => {
      const schema = {
        allOf: [{ $ref: "#/components/schemas/Problem" }, { properties: { code: { enum: listed } } }],
      };
      return [status, { description: listed.join(", "), content: { "application/problem+json": { schema } } }];
    }),
  );
}
