// What a run left behind when it failed: a sentence, and more for whoever opens it.
import { faultOfRun } from "@/api/error";
import type { Run } from "@/api/types";
import type { RunFailure } from "./reducer";

export function failureOfRun(run: Pick<Run, "metadata">): RunFailure | null {
  const error = run.metadata?.error;
  if (typeof error !== "object" || error === null) return null;
  const { message, detail, error_type } = error as Record<string, unknown>;
  if (typeof message !== "string") return null;
  const code = typeof error_type === "string" ? error_type : null;
  return {
    fault: faultOfRun(code),
    code,
    message,
    detail: typeof detail === "string" && detail !== message ? detail : null,
  };
}
