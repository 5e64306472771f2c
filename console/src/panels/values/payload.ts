/** Careful reading of payloads, of which only the kind is known. */

export type Payload = Readonly<Record<string, unknown>>;

export function textOf(payload: Payload, name: string): string {
  const value = payload[name];
  return typeof value === "string" ? value : "";
}

export function numberOf(payload: Payload, name: string): number | null {
  const value = payload[name];
  return typeof value === "number" && Number.isFinite(value) ? value : null;
}

/** Return the objects of a list; nothing else in it counts. */
export function objectsOf(payload: Payload, name: string): readonly Payload[] {
  const value = payload[name];
  return Array.isArray(value) ? value.filter(isObject) : [];
}

export function isObject(value: unknown): value is Payload {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
