/** Orders that took effect in the simulation, newest first. */

import { useSignal } from "@preact/signals";
import type { Order } from "../run/types.ts";
import type { View } from "../run/view.ts";
import { t } from "../text/index.ts";
import { clip, clockTime } from "./values/format.ts";
import { giver, parametersText } from "./values/orders.ts";
import { goToTime } from "./ways/jump.ts";
import { More } from "./widgets/more.tsx";

/** The orders of the run up to the moment that is shown. */
export function Orders({ view }: { readonly view: View }) {
  const lost = useSignal(false);
  const go = ({ storedAt }: Order) => void goToTime(view, storedAt).then((found) => (lost.value = !found));
  return (
    <section class="orders" aria-label={t("orders")}>
      <p role="status" class="warn">
        {lost.value && t("gone")}
      </p>
      <More
        rows={[...view.moment.value.orders].reverse()}
        empty={t("noOrders")}
        row={(order) => <Row key={order.sequence} order={order} go={go} />}
      />
    </section>
  );
}

function Row({ order, go }: { readonly order: Order; readonly go: (order: Order) => void }) {
  return (
    <li>
      <button type="button" class="link time" onClick={() => go(order)}>
        {clockTime(order.time)}
      </button>{" "}
      <strong>{clip(order.name, 60)}</strong> {parametersText(order)}{" "}
      <span class="dim">
        {giver(order)} · {t("atTick", { tick: order.tick })}
      </span>
    </li>
  );
}
