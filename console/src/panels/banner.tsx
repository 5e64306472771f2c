/** Notices that cannot wait: the connection, the right to command, what is missing. */

import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { View } from "../run/view.ts";
import { sessionNotice } from "../session.ts";
import { t } from "../text/index.ts";
import { clip, shortId } from "./values/format.ts";
import { linkAdvice, missing, type Advice } from "./values/advice.ts";
import { RunBefore } from "./runbefore.tsx";
import { now } from "./widgets/pace.ts";

const BRIEF_MS = 12_000;
/** A page that has just begun has not read its moment yet. */
const BEGIN_MS = 3000;
const begun = Date.now();

/** Notices of one run, read out when they change. */
export function Banner({ view, name }: { readonly view: View; readonly name: string }) {
  const link = view.link.value;
  const newRun = useNewRun(view);
  const news = [useReturn(view), newRun, useEndOfRight(view)];
  const lost = linkAdvice(link, now.value);
  const notices: readonly (Advice | null)[] = [
    lost,
    !lost && now.value - begun > BEGIN_MS ? missing(view.moment.value, view.clock.state.value, view.played) : [],
    sessionNotice.value ? { kind: "bad" as const, text: sessionNotice.value } : null,
    ...(lost ? [] : news).map((text) => (text ? { kind: "good" as const, text } : null)),
  ].flat();
  return (
    <div class="banner" role="status" aria-live="polite">
      {notices.map(
        (notice) =>
          notice && (
            <p class={notice.kind}>
              {name && `${name}: `}
              {notice.text} {notice.aside && <span aria-hidden="true">{notice.aside}</span>}
              {notice.text === newRun && <RunBefore view={view} />}
            </p>
          ),
      )}
    </div>
  );
}

/** Return a text for some seconds after it was given. */
function useBrief(): [string, (text: string) => void] {
  const said = useSignal({ text: "", at: 0 });
  const shown = now.value - said.value.at < BRIEF_MS ? said.value.text : "";
  return [shown, (text) => (said.value = { text, at: Date.now() })];
}

/** Say that the connection is back; not after the change from viewer to operator, which needs a new one. */
function useReturn(view: View): string {
  const [text, say] = useBrief();
  const lost = useRef<string | null>(null);
  const { state, who } = view.link.value;
  useEffect(() => {
    if (state === "lost") lost.current ??= who;
    if (state !== "open") return;
    if (lost.current === who) say(t("back"));
    lost.current = null;
  }, [state, who]);
  return text;
}

function useNewRun(view: View): string {
  const [text, say] = useBrief();
  const last = useRef<string | null>(null);
  const run = view.clock.state.value.span?.runs.at(-1);
  useEffect(() => {
    if (!run) return;
    if (last.current !== null) say(t("newRun", { scenario: clip(run.scenario, 60), run: shortId(run.run) }));
    last.current = run.run;
  }, [run?.run]);
  return text;
}

function useEndOfRight(view: View): string {
  const [text, say] = useBrief();
  const { who } = view.link.value;
  const was = useRef(who);
  useEffect(() => {
    if (was.current === "operator" && who === "viewer") say(t("rightEnded"));
    was.current = who;
  }, [who]);
  return text;
}
