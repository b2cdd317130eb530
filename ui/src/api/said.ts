// A sentence of Loci's own routes in its parts: crates/api/src/said.rs.

export type Said = {
  /** Which one it is; left out for words from elsewhere. */
  code?: string;
  /** What stands in it, by name: texts, numbers, or sentences. */
  values?: Record<string, unknown>;
  /** In English, with the values. */
  message: string;
};

export function isSaid(value: unknown): value is Said {
  return (
    typeof value === "object" && value !== null && "message" in value && typeof value.message === "string"
  );
}
