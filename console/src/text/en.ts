import { scopeEn } from "./scope.ts";
import { panelsEn } from "./panels.ts";
import { runEn } from "./run.ts";

export const en = {
  title: "QIKI operator's page",
  ...scopeEn,
  ...panelsEn,
  ...runEn,
} as const;
