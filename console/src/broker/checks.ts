/** Checks of values from the wire, composed once and cheap to run. */

export type Check = (value: unknown) => boolean;

export const number: Check = (value) => typeof value === "number" && Number.isFinite(value);
export const string: Check = (value) => typeof value === "string";
export const boolean: Check = (value) => typeof value === "boolean";

/** A whole number from 0 to a greatest one. */
export function upTo(greatest: number): Check {
  return (value) => Number.isInteger(value) && (value as number) >= 0 && (value as number) <= greatest;
}

export function nullable(check: Check): Check {
  return (value) => value === null || check(value);
}

/** A member that may be missing. */
export function optional(check: Check): Check {
  return (value) => value === undefined || check(value);
}

export function list(check: Check): Check {
  return (value) => Array.isArray(value) && value.every(check);
}

/** A list of so many numbers. */
export function numbers(length: number): Check {
  return (value) => Array.isArray(value) && value.length === length && value.every(number);
}

/** An object whose members all pass, under any names. */
export function mapping(check: Check): Check {
  return (value) => isObject(value) && Object.values(value).every(check);
}

/** An object with these members; others are ignored. */
export function object(members: Readonly<Record<string, Check>>): Check {
  const checks = Object.entries(members);
  return (value) => {
    if (!isObject(value)) return false;
    for (const [name, check] of checks) if (!check(value[name])) return false;
    return true;
  };
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
