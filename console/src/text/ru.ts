import type { Key } from "./index.ts";
import { scopeRu } from "./scope.ts";
import { panelsRu } from "./panels.ts";
import { runRu } from "./run.ts";

export const ru: Readonly<Record<Key, string>> = {
  title: "Страница оператора QIKI",
  ...scopeRu,
  ...panelsRu,
  ...runRu,
};
