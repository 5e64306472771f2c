/**
 * A stand-in for `@nats-io/nkeys`, put in its place by vite.config.ts.
 *
 * The page connects without a key or with a password. The library imports the cryptography of keys all the same, which
 * would be an eighth of the page.
 */
export const nkeys = {};
