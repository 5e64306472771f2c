// Write src/wire/payloads.ts, the types of the payloads, from docs/schemas.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { compile } from "json-schema-to-typescript";

const SCHEMAS = new URL("../../docs/schemas/", import.meta.url);
const OUTPUT = new URL("../src/wire/payloads.ts", import.meta.url);
const HEAD = "// Made by `npm run generate` from docs/schemas. Do not edit.\n";

/** Properties of one schema, with the definitions of all under one roof: equal names have equal shapes. */
const definitions = {};
for (const file of readdirSync(SCHEMAS).sort()) {
  const { $schema, $id, $defs = {}, ...schema } = JSON.parse(readFileSync(new URL(file, SCHEMAS), "utf8"));
  Object.assign(definitions, $defs, { [schema.title]: schema });
}
const untitled = (value) => {
  if (Array.isArray(value)) return value.map(untitled);
  if (value === null || typeof value !== "object") return value;
  const entries = Object.entries(value).filter(([key, entry]) => !(key === "title" && typeof entry === "string"));
  return Object.fromEntries(
    entries
      .filter(([key]) => !["minItems", "maxItems"].includes(key))
      .map(([key, entry]) => [key, untitled(entry)]),
  );
};
const root = {
  $defs: untitled(definitions),
  title: "Payloads",
  type: "object",
  additionalProperties: false,
  required: Object.keys(definitions),
  properties: Object.fromEntries(Object.keys(definitions).map((name) => [name, { $ref: `#/$defs/${name}` }])),
};
const text = await compile(root, "Payloads", {
  additionalProperties: false,
  bannerComment: HEAD,
  style: { printWidth: 120 },
  declareExternallyReferenced: true,
});
writeFileSync(OUTPUT, text);
