// An R2 bucket of which one operation fails, and which knows the uploads that nobody completed or aborted.
export const OUTAGE = new Error("R2 does not answer.");

export interface FailingBucket {
  readonly bucket: R2Bucket;
  readonly openUploads: ReadonlySet<string>;
  /** Whether the operation that fails has been asked for. */
  hasFailed(): boolean;
}

/** Operations count from 0, those on parts included. Whatever fails has no effect. */
export function failAt(real: R2Bucket, operation: number): FailingBucket {
  const openUploads = new Set<string>();
  let count = 0;
  const pass = async <Result>(work: () => Promise<Result>): Promise<Result> => {
    count += 1;
    if (count === operation + 1) throw OUTAGE;
    return work();
  };
  const watch = (upload: R2MultipartUpload): R2MultipartUpload => {
    openUploads.add(upload.uploadId);
    const end = async <Result>(work: () => Promise<Result>): Promise<Result> => {
      const result = await pass(work);
      openUploads.delete(upload.uploadId);
      return result;
    };
    return {
      key: upload.key,
      uploadId: upload.uploadId,
      uploadPart: (number, value) => pass(() => upload.uploadPart(number, value)),
      abort: () => end(() => upload.abort()),
      complete: (parts) => end(() => upload.complete(parts)),
    };
  };
  const bucket = new Proxy(real, {
    get(target, name) {
      if (name === "createMultipartUpload") {
        return async (key: string) => watch(await pass(() => target.createMultipartUpload(key)));
      }
      const method: unknown = Reflect.get(target, name);
      return typeof method === "function"
        ? (...args: unknown[]) => pass(() => Reflect.apply(method, target, args))
        : method;
    },
  });
  return { bucket, openUploads, hasFailed: () => count > operation };
}
