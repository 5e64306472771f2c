/** One stored message, as it is. */

import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { View } from "../../run/view.ts";
import { t } from "../../text/index.ts";
import { clip, clockTime, day } from "../values/format.ts";

const LONGEST = 20_000;

interface Properties {
  readonly view: View;
  readonly stream: string;
  readonly sequence: number;
  readonly label: string;
}

/** A button that shows a stored message. */
export function RawButton({ view, stream, sequence, label }: Properties) {
  const shown = useSignal<string | null>(null);
  const show = async () => {
    const message = await view.message(stream, sequence);
    shown.value = message
      ? [
          `${message.subject}  ${stream} ${sequence}  ${day(message.time)} ${clockTime(message.time, 3)} UTC`,
          ...message.headers.map((header) => clip(header, 400)),
          "",
          readable(message.body),
        ].join("\n")
      : t("gone");
  };
  return (
    <>
      <button type="button" class="link" onClick={() => void show()}>
        {label} {sequence}
      </button>
      {shown.value !== null && <Raw text={shown.value} title={`${stream} ${sequence}`} close={() => (shown.value = null)} />}
    </>
  );
}

function Raw({ text, title, close }: { readonly text: string; readonly title: string; readonly close: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} class="raw" aria-label={title} onClose={close}>
      <form method="dialog">
        <pre tabIndex={0}>{text}</pre>
        <button type="submit">{t("close")}</button>
      </form>
    </dialog>
  );
}

/** Return a body with a line for each value, shortened if it is long. */
function readable(body: string): string {
  let text = body;
  try {
    text = JSON.stringify(JSON.parse(body), null, 1);
  } catch {
    // it is shown as it came
  }
  const lines = text.split("\n").map((line) => clip(line, 2000));
  const whole = lines.join("\n");
  return whole.length > LONGEST ? `${whole.slice(0, LONGEST)}…` : whole;
}
