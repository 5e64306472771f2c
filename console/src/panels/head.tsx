/** The head of the page: run, simulation, ages, who looks, language and theme. */

import type { View } from "../run/view.ts";
import { language, t } from "../text/index.ts";
import { clip, clockTime, number } from "./values/format.ts";
import { Ages } from "./services.tsx";
import { switchTheme, theme } from "./widgets/theme.ts";

const KEPT_LANGUAGE = "qiki-language";
const BEHIND_S = 0.5;

export function Head({ view }: { readonly view: View }) {
  const scenario = view.moment.value.description?.value.scenario["name"];
  return (
    <header class="head">
      <h1>QIKI</h1>
      <span class="scenario">{scenario === undefined ? "" : clip(scenario, 40)}</span>
      <Simulation view={view} />
      <Ages view={view} />
      <Who view={view} />
      <button
        type="button"
        lang={language.value === "en" ? "ru" : "en"}
        aria-label={t("otherLanguage")}
        title={t("otherLanguage")}
        onClick={switchLanguage}
      >
        {t("language")}
      </button>
      <button type="button" onClick={switchTheme}>
        {t(theme.value === "dark" ? "toLight" : "toDark")}
      </button>
    </header>
  );
}

function Simulation({ view }: { readonly view: View }) {
  const state = view.moment.value.telemetry?.value.sim_state;
  if (!state) return null;
  const { running, paused, speed, behind_s: behind } = state;
  const text = paused ? t("simPaused") : running ? t("simRunning", { speed: String(Number(speed.toPrecision(3))) }) : t("simStopped");
  return (
    <span class={`chip ${running && !paused ? "good" : "warn"}`}>
      {text}
      {behind > BEHIND_S && `, ${t("simBehind", { seconds: number(behind, 1) })}`}
    </span>
  );
}

function Who({ view }: { readonly view: View }) {
  const { who, until } = view.link.value;
  const text = who === "operator" && until !== null ? t("whoOperator", { time: clockTime(until, 0).slice(0, 5) }) : t("whoViewer");
  return <span class={`who ${who}`}>{text}</span>;
}

function switchLanguage(): void {
  language.value = language.peek() === "en" ? "ru" : "en";
  localStorage.setItem(KEPT_LANGUAGE, language.value);
}

/** Take up the language that was chosen before. */
export function startLanguage(): void {
  const kept = localStorage.getItem(KEPT_LANGUAGE);
  if (kept === "en" || kept === "ru") language.value = kept;
}
