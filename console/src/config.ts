/** The page's configuration, as the service gives it at `config.json`. */

export interface GuardRule {
  readonly id: string;
  readonly description: string;
  readonly severity: string;
  readonly max_range_m: number | null;
}

export interface Source {
  /** Shown where there are several. */
  readonly name: string;
  /** The broker's WebSocket listener, `ws://` or `wss://`; a host of `*` is the page's own. */
  readonly url: string;
  readonly played: boolean;
}

export interface Configuration {
  readonly version: string;
  readonly sources: readonly Source[];
  readonly guard_rules: readonly GuardRule[];
  readonly scenarios: readonly string[];
  /** Frame at which two recordings differ first, and what differs, in words; null: they are the same, or there is one. */
  readonly divergence: { readonly frame: number; readonly text: string } | null;
}

export async function loadConfiguration(): Promise<Configuration> {
  const answer = await fetch("config.json", { cache: "no-store" });
  if (!answer.ok) throw new Error(`config.json: ${answer.status}`);
  return (await answer.json()) as Configuration;
}
