/** Services with their health, and the vehicle's own planes. */

import type { Moment, Stored } from "../run/types.ts";
import type { View } from "../run/view.ts";
import { t, type Key } from "../text/index.ts";
import type { ServiceHealth } from "../wire/payloads.ts";
import { inputAges, isHealthStale, type InputAge } from "./values/ages.ts";
import { age, clip, metres, number } from "./values/format.ts";
import { TRANSPONDER } from "./values/names.ts";

/** Ages of the page's inputs, for its head; of a recording those that it has. */
export function Ages({ view }: { readonly view: View }) {
  const inputs = inputAges(view.moment.value).filter(({ age: found }) => found !== null || !view.played);
  return (
    <ul class="ages" aria-label={t("ages")}>
      {inputs.map((input) => (
        <Age input={input} />
      ))}
    </ul>
  );
}

function Age({ input }: { readonly input: InputAge }) {
  return (
    <li class={input.stale ? "stale" : ""}>
      {t(input.name)} <b>{age(input.age)}</b>
      {input.stale && ` ${t("stale")}`}
    </li>
  );
}

/** The services' table, then the vehicle. */
export function Services({ view }: { readonly view: View }) {
  const moment = view.moment.value;
  const names = [...moment.health.keys()].sort();
  return (
    <section class="services" aria-label={t("services")}>
      <table>
        <thead>
          <tr>
            <th scope="col">{t("service")}</th>
            <th scope="col">{t("health")}</th>
            <th scope="col">{t("waitsFor")}</th>
            <th scope="col" class="n">
              {t("age")}
            </th>
          </tr>
        </thead>
        <tbody>
          {names.map((name) => (
            <Service name={name} moment={moment} health={moment.health.get(name)} />
          ))}
        </tbody>
      </table>
      {names.length === 0 && <p class="empty">{t("noServices")}</p>}
      <Vehicle moment={moment} />
    </section>
  );
}

interface ServiceProperties {
  readonly name: string;
  readonly moment: Moment;
  readonly health: Stored<ServiceHealth> | undefined;
}

function Service({ name, moment, health }: ServiceProperties) {
  if (!health) return null;
  const { ready, status, waiting_for = {} } = health.value;
  const stale = isHealthStale(moment.at, health.storedAt);
  return (
    <tr class={stale ? "stale" : ""}>
      <th scope="row">{clip(name, 60)}</th>
      <td class={ready && !stale ? "good" : ready ? "" : "bad"}>
        {t(ready ? "ready" : "notReady")}
        {stale ? ` (${t("stale")})` : status !== "ok" && `: ${clip(status, 60)}`}
      </td>
      <td>
        {Object.entries(waiting_for)
          .map(([condition, why]) => clip(`${condition}: ${why}`))
          .join("; ") || "–"}
      </td>
      <td class="n">{age(moment.at - health.storedAt)}</td>
    </tr>
  );
}

function Vehicle({ moment }: { readonly moment: Moment }) {
  return (
    <>
      <h3>{t("vehicle")}</h3>
      <dl class="values">
        {vehicleRows(moment).map(([key, value]) => (
          <div>
            <dt>{t(key)}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </>
  );
}

function vehicleRows({ telemetry }: Moment): readonly (readonly [Key, string])[] {
  const own = telemetry?.value;
  if (!own) return [];
  const { power, thermal, docking, position } = own;
  const tripped = thermal.nodes.filter((node) => node.tripped).map((node) => node.id);
  return [
    ["position", [position.x, position.y, position.z].map((one) => metres(one)).join(" / ")],
    ["speed", number(own.velocity, 2, "m/s")],
    ["heading", `${number(own.heading, 1)}°`],
    ["hull", number(own.hull.integrity, 1, "%")],
    ["battery", number(power.soc_pct, 1, "%")],
    ["propellant", number(own.propulsion.propellant_kg, 2, "kg")],
    ["transponder", TRANSPONDER[own.comms.xpdr_mode]],
    ["docking", clip([docking.state, docking.port].filter(Boolean).join(" "), 60)],
    ["shed", clip(power.shed_loads.join(", ")) || "–"],
    ["faults", clip([...power.faults, ...tripped].join(", ")) || "–"],
  ];
}
