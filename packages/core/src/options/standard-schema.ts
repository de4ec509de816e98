/** The part of Standard Schema v1 that we use: zod, valibot, arktype and others implement it. */

/** A synchronous schema. */
export interface StandardSchema<Output = unknown> {
  readonly "~standard": {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>;
  };
}

type SchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly SchemaIssue[] };

interface SchemaIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** Runs a schema. Returns the output, or each problem as `path: message`. */
export function runSchema<Output>(
  schema: StandardSchema<Output>,
  value: unknown,
): { readonly value: Output } | { readonly problems: readonly string[] } {
  const result = schema["~standard"].validate(value);
  if (result instanceof Promise)
    return { problems: ["the schema is asynchronous; it must be synchronous"] };
  if (!result.issues) return { value: result.value };
  return { problems: result.issues.map((issue) => `${pathOf(issue)}: ${issue.message}`) };
}

function pathOf(issue: SchemaIssue): string {
  const keys = (issue.path ?? []).map((part) => String(typeof part === "object" ? part.key : part));
  return ["session", ...keys].join(".");
}
