/** The agent's decisions, with the messages that they rest on. */

import { useSignal } from "@preact/signals";
import type { Happening } from "../run/types.ts";
import type { View } from "../run/view.ts";
import { t } from "../text/index.ts";
import type { Evidence } from "../wire/payloads.ts";
import { age, clip, clockTime, number } from "./values/format.ts";
import { goToEvidence, goToTime } from "./ways/jump.ts";
import { More } from "./widgets/more.tsx";
import { proposalName, PURPOSES } from "./values/names.ts";
import { numberOf, objectsOf, textOf, type Payload } from "./values/payload.ts";

const ACCEPTED = new Set([2, 4]);

/** Decisions, newest first. */
export function Decisions({ view }: { readonly view: View }) {
  const lost = useSignal(false);
  const decisions = view.moment.value.events.filter((event) => event.kind === "Decision").reverse();
  const went = (way: Promise<boolean>) => void way.then((found) => (lost.value = !found));
  return (
    <section class="decisions" aria-label={t("decisions")}>
      <p role="status" class="warn">
        {lost.value && t("gone")}
      </p>
      <More
        rows={decisions}
        empty={t("noDecisions")}
        row={(event) => <Decision key={event.id} view={view} event={event} went={went} />}
      />
    </section>
  );
}

interface Properties {
  readonly view: View;
  readonly event: Happening;
  readonly went: (way: Promise<boolean>) => void;
}

function Decision({ view, event, went }: Properties) {
  const { payload } = event;
  const status = numberOf(payload, "status") ?? 0;
  const reason = textOf(payload, "reason");
  return (
    <li class={ACCEPTED.has(status) ? "" : "warn"}>
      <button type="button" class="link time" onClick={() => went(goToTime(view, event.storedAt))}>
        {clockTime(event.time)}
      </button>{" "}
      <strong>{proposalName(status)}</strong>{" "}
      <span class="dim">
        {PURPOSES[numberOf(payload, "type") ?? 0]} · {clip(textOf(payload, "source"), 40)}
      </span>{" "}
      {clip(textOf(payload, "justification"))}
      {reason && <em> {clip(reason)}</em>}
      {objectsOf(payload, "actions").map((action) => (
        <div class="sub">→ {actionText(action)}</div>
      ))}
      <div class="sub">
        {t("evidence")}{" "}
        {objectsOf(payload, "rests_on").map((one) => (
          <EvidenceButton evidence={evidenceOf(one)} go={(evidence) => went(goToEvidence(view, evidence, event.storedAt))} />
        ))}
      </div>
    </li>
  );
}

function actionText(action: Payload): string {
  const words = [clip(textOf(action, "actuator"), 60), clip(textOf(action, "command"), 30)];
  words.push(number(numberOf(action, "value"), 0));
  const message = clip(textOf(action, "message"));
  const outcome = action["accepted"] === true ? t("accepted") : action["accepted"] === false ? t("refused") : t("notSent");
  return `${words.join(" ")}: ${outcome}${message && ` (${message})`}`;
}

function evidenceOf(one: Payload): Evidence {
  return { subject: textOf(one, "subject"), sequence: numberOf(one, "sequence"), age_s: numberOf(one, "age_s") ?? 0 };
}

interface EvidenceProperties {
  readonly evidence: Evidence;
  readonly go: (evidence: Evidence) => void;
}

function EvidenceButton({ evidence, go }: EvidenceProperties) {
  const text = `${clip(evidence.subject, 80)} ${evidence.sequence ?? ""} (${age(evidence.age_s * 1000)})`;
  if (evidence.sequence === null) return <span class="dim">{text} </span>;
  return (
    <button type="button" class="link" onClick={() => go(evidence)}>
      {text}
    </button>
  );
}
