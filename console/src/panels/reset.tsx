/** The reset of the world, which asks first. */

import { useRef } from "preact/hooks";
import { t } from "../text/index.ts";
import type { Send } from "./commands.tsx";

interface Properties {
  readonly scenarios: readonly string[];
  readonly send: Send;
}

/** A button that asks for scenario and seed, and begins a new run. */
export function ResetButton({ scenarios, send }: Properties) {
  const dialog = useRef<HTMLDialogElement>(null);
  const reset = async (fields: FormData) => {
    const seed = String(fields.get("seed") ?? "");
    const scenario = String(fields.get("scenario") ?? "");
    const answer = await send("sim.reset", { ...(scenario && { scenario }), ...(seed && { seed: Number(seed) }) });
    if (answer.ok && fields.has("start")) await send("sim.start");
  };
  return (
    <>
      <button type="button" onClick={() => dialog.current?.showModal()}>
        {t("reset")}
      </button>
      <dialog ref={dialog} aria-labelledby="reset-title">
        <form
          method="dialog"
          onSubmit={(event) => {
            const { submitter } = event as SubmitEvent;
            if (submitter?.getAttribute("value") === "reset") void reset(new FormData(event.currentTarget));
          }}
        >
          <h2 id="reset-title">{t("resetTitle")}</h2>
          <p>{t("resetText")}</p>
          <label>
            {t("scenario")}{" "}
            <select name="scenario">
              <option value="">{t("sameScenario")}</option>
              {scenarios.map((one) => (
                <option value={one}>{one}</option>
              ))}
            </select>
          </label>
          <label>
            {t("seed")} <input type="number" name="seed" min={0} max={Number.MAX_SAFE_INTEGER} step={1} placeholder={t("ofScenario")} />
          </label>
          <label>
            <input type="checkbox" name="start" defaultChecked /> {t("startAtOnce")}
          </label>
          <div class="bar">
            <button type="submit" value="reset" class="danger">
              {t("doReset")}
            </button>
            <button type="submit" value="cancel" formNoValidate>
              {t("cancel")}
            </button>
          </div>
        </form>
      </dialog>
    </>
  );
}
