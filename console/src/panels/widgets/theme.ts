/** Dark or light: as the system has it, until the user chooses. */

import { effect, signal } from "@preact/signals";

export type Theme = "dark" | "light";
const KEPT = "qiki-theme";

const system = matchMedia("(prefers-color-scheme: light)");
export const theme = signal<Theme>(kept() ?? systemTheme());

function kept(): Theme | null {
  const value = localStorage.getItem(KEPT);
  return value === "dark" || value === "light" ? value : null;
}

function systemTheme(): Theme {
  return system.matches ? "light" : "dark";
}

/** Keep the document's theme as it is chosen. */
export function startTheme(): void {
  system.addEventListener("change", () => (theme.value = kept() ?? systemTheme()));
  effect(() => {
    document.documentElement.dataset["theme"] = theme.value;
  });
}

/** Choose the other theme, and keep the choice. */
export function switchTheme(): void {
  theme.value = theme.peek() === "dark" ? "light" : "dark";
  localStorage.setItem(KEPT, theme.value);
}
