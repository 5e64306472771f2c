/** The page's beginning: configuration, connections, the page. */

import { render } from "preact";
import { keepAddress } from "./address.ts";
import { loadConfiguration, type Configuration, type Source } from "./config.ts";
import { Page } from "./page.tsx";
import { startLanguage } from "./panels/head.tsx";
import { startNow } from "./panels/widgets/pace.ts";
import { startTheme } from "./panels/widgets/theme.ts";
import { Model } from "./run/model.ts";
import { keepSession } from "./session.ts";
import { t } from "./text/index.ts";
import "./theme.css";
import "./layout.css";

/** Return a source whose host is the page's own where it says `*`. */
function located(source: Source): Source {
  return { ...source, url: source.url.replace("//*", `//${location.hostname}`) };
}

function open(root: HTMLElement, configuration: Configuration): void {
  const [lead, ...others] = configuration.sources.map((source) => new Model(located(source)));
  if (!lead) throw new Error("no sources");
  for (const model of [lead, ...others]) model.start();
  keepSession(lead);
  keepAddress(lead);
  root.replaceChildren();
  render(<Page views={[lead, ...others]} configuration={configuration} />, root);
}

async function begin(): Promise<void> {
  const root = document.getElementById("root");
  if (!root) return;
  startTheme();
  startLanguage();
  startNow();
  try {
    open(root, await loadConfiguration());
  } catch (error) {
    root.textContent = t("noConfiguration", { reason: String(error) });
  }
}

void begin();
