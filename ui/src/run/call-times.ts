// When calls of a thread began and how long they took, as this window saw it. The API's dates are whole seconds, and
// of a call that waited for a person they tell the wait.

export type CallTime = {
  /** Milliseconds of the clock; for a call that was asked about, when it was allowed. */
  began: number;
  /** Milliseconds; `null` while it runs. */
  took: number | null;
};

export type CallTimes = ReadonlyMap<string, CallTime>;

/** The call was written, or written on, or allowed. */
export function began(times: Map<string, CallTime>, toolCallId: string, at: number): void {
  if (times.get(toolCallId)?.took == null) times.set(toolCallId, { began: at, took: null });
}

/** Its result arrived. A result told again changes nothing. */
export function ended(times: Map<string, CallTime>, toolCallId: string, at: number): void {
  const time = times.get(toolCallId);
  if (time && time.took === null) times.set(toolCallId, { ...time, took: Math.max(0, at - time.began) });
}
