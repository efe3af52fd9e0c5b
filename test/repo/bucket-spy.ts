// A bucket that notes what is asked of it, and can be made to fail. Everything else is the real one's.

export interface BucketSpy {
  readonly bucket: R2Bucket;
  /** The operations so far: "put idx", "get pack", "createMultipartUpload pack". */
  readonly operations: string[];
}

/** `failing` is an operation of the bucket or of an upload that rejects from now on. */
export function spyOn(bucket: R2Bucket, failing?: string): BucketSpy {
  const operations: string[] = [];
  const spied = <T extends object>(target: T, describe: (name: string, key: unknown) => string): T =>
    new Proxy(target, {
      get(object, name) {
        const value: unknown = Reflect.get(object, name);
        if (typeof value !== "function") return value;
        return async (...parameters: unknown[]) => {
          operations.push(describe(String(name), parameters[0]));
          if (name === failing) throw new Error(`R2 fails at ${failing}.`);
          const result: unknown = await Reflect.apply(value, object, parameters);
          const isUpload = name === "createMultipartUpload" && typeof result === "object" && result !== null;
          return isUpload ? spied(result, (step) => step) : result;
        };
      },
    });
  return { bucket: spied(bucket, describeByFile), operations };
}

function describeByFile(name: string, key: unknown): string {
  return `${name} ${typeof key === "string" ? (key.split(".").at(-1) ?? key) : "many"}`;
}
