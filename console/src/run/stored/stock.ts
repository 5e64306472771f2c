/** All that reads the streams of one broker, with what it remembers of them. */

import type { Link } from "../../broker/link.ts";
import { Past } from "../../broker/past.ts";
import { AuditChain } from "../live/audit.ts";
import { eventWindow } from "./events.ts";
import { FrameReader } from "./framereader.ts";
import { Lookback } from "./lookback.ts";
import { Notices } from "./notices.ts";
import { orderWindow } from "./orders.ts";
import { Nearest, telemetryWindow } from "./readings.ts";
import { Runs } from "./runs.ts";

export class Stock {
  readonly past: Past;
  readonly notices: Notices;
  readonly runs: Runs;
  readonly reader: FrameReader;
  readonly nearest = new Nearest();
  readonly chain = new AuditChain();
  readonly lookback: Lookback;
  /** Telemetry, orders and events that moments look back on. */
  readonly telemetry;
  readonly orders;
  readonly events;

  constructor(link: Link) {
    this.past = new Past(link);
    this.notices = new Notices(this.past);
    this.runs = new Runs(this.past, this.notices);
    this.reader = new FrameReader(this.past);
    this.lookback = new Lookback(this.notices, this.reader, this.nearest);
    this.telemetry = telemetryWindow(this.past);
    this.orders = orderWindow(this.past);
    this.events = eventWindow(this.past);
  }

  /** Forget all: the streams were made again. */
  clear(): void {
    const read = [this.notices, this.runs, this.reader, this.telemetry, this.orders, this.events];
    for (const one of [...read, this.chain]) one.clear();
  }
}
