/** The chosen track. */

import { chosenTrack } from "../run/choice.ts";
import type { Frame, Moment } from "../run/types.ts";
import type { View } from "../run/view.ts";
import { t, type Key } from "../text/index.ts";
import type { RadarTrack, Vector as Axes } from "../wire/payloads.ts";
import { RADAR_STREAM } from "../wire/topics.ts";
import { frameRate } from "./values/ages.ts";
import { closestApproach, rangeHistory, sigmas, type RangeAt } from "./values/approach.ts";
import { centreOn } from "./ways/centre.ts";
import { clip, metres, number, shortId } from "./values/format.ts";
import { kindName, sideClass, sideName, statusName, TRANSPONDER } from "./values/names.ts";
import { RawButton } from "./widgets/raw.tsx";
import { isSpoof } from "./values/rows.ts";

/** All that is known of the chosen track. */
export function TrackPanel({ view }: { readonly view: View }) {
  const moment = view.moment.value;
  const id = chosenTrack.value;
  if (!id) return <p class="empty">{t("chooseTrack")}</p>;
  const track = moment.frame?.tracks.find((one) => one.track_id === id);
  return (
    <section class="track" aria-label={t("chosenTrack")}>
      <header>
        <h3 class={track ? `side-${sideClass(track.iff)}` : ""}>
          {track?.transponder_id ? clip(track.transponder_id, 40) : shortId(id)}
        </h3>
        <span>{track ? headline(track) : t("trackGone")}</span>
        {track && (
          <button type="button" onClick={() => centreOn(track, moment)}>
            {t("centre")}
          </button>
        )}
        <button type="button" onClick={() => (chosenTrack.value = null)}>
          {t("deselect")}
        </button>
      </header>
      {track && moment.frame && <Values view={view} track={track} frame={moment.frame} />}
      <History moment={moment} id={id} />
    </section>
  );
}

function headline(track: RadarTrack): string {
  const kind = track.object_type ? [kindName(track.object_type)] : [];
  const words = [...kind, sideName(track.iff), statusName(track.status), ...(isSpoof(track) ? [t("spoofing")] : [])];
  return words.join(" · ");
}

interface ValuesProperties {
  readonly view: View;
  readonly track: RadarTrack;
  readonly frame: Frame;
}

function Values({ view, track, frame }: ValuesProperties) {
  const sequence = frame.sequences.tracks.get(track.track_id);
  const confidence = frame.confidences.get(track.track_id);
  return (
    <>
      <dl class="values">
        {rows(track, confidence).map(([key, value]) => (
          <div>
            <dt>{t(key)}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <p class="rests">
        {t("restsOn")}{" "}
        {frame.sequences.frame !== null && (
          <RawButton view={view} stream={RADAR_STREAM} sequence={frame.sequences.frame} label={t("frameMessage")} />
        )}{" "}
        {sequence !== undefined && (
          <RawButton view={view} stream={RADAR_STREAM} sequence={sequence} label={t("trackMessage")} />
        )}
      </p>
    </>
  );
}

function rows(track: RadarTrack, confidence: number | undefined): readonly (readonly [Key, string])[] {
  return [
    ["range", metres(track.range_m)],
    ["approach", approachText(track)],
    ["bearing", `${number(track.bearing_deg, 2)}°`],
    ["closing", number(-track.vr_mps, 2, "m/s")],
    ["elevation", `${number(track.elev_deg, 2)}°`],
    ["speed", number(track.velocity ? Math.hypot(...axes(track.velocity)) : null, 2, "m/s")],
    ["position", vector(track.position && axes(track.position), 1, "m")],
    ["positionSigma", vector(sigmas(track.position_covariance), 2, "m")],
    ["velocity", vector(track.velocity && axes(track.velocity), 2, "m/s")],
    ["velocitySigma", vector(sigmas(track.velocity_covariance), 3, "m/s")],
    ["identity", clip(track.transponder_id ?? "–", 140)],
    ["transponder", TRANSPONDER[track.transponder_mode ?? 0]],
    ["kind", kindName(track.object_type)],
    ["kindConfidence", number(confidence === undefined ? null : 100 * confidence, 0, "%")],
    ["quality", number(track.quality, 4)],
    ["snr", number(track.snr_db, 1, "dB")],
    ["rcs", number(track.rcs_dbsm, 1, "dBm²")],
    ["age", number(track.age_s, 1, "s")],
    ["missed", number(track.miss_count)],
    ["identityWhole", clip(track.track_id, 40)],
  ];
}

function axes(value: Axes): readonly [number, number, number] {
  return [value.x, value.y, value.z];
}

function vector(value: readonly number[] | null | undefined, digits: number, unit: string): string {
  return value?.map((one, index) => number(one, digits, index === value.length - 1 ? unit : "")).join(" / ") ?? "–";
}

function approachText(track: RadarTrack): string {
  const approach = closestApproach(track);
  if (!approach) return "–";
  if (approach.seconds <= 0) return t("receding");
  return t("approachIn", { distance: metres(approach.distance), seconds: number(approach.seconds, 0) });
}

function History({ moment, id }: { readonly moment: Moment; readonly id: string }) {
  const own = moment.frame?.ownPosition ?? [0, 0, 0];
  const points = rangeHistory(moment.trails.get(id) ?? [], moment.readings, frameRate(moment), own);
  if (points.length < 2) return null;
  const ranges = points.map((point) => point.range);
  const [least, most] = [Math.min(...ranges), Math.max(...ranges)];
  const first = points[0]?.seconds ?? 0;
  const last = points.at(-1)?.seconds ?? 0;
  const text = t("rangeHistory", { least: metres(least), most: metres(most), seconds: number(last - first, 0) });
  return (
    <figure class="history">
      <svg viewBox="0 0 300 60" preserveAspectRatio="none" role="img" aria-label={text}>
        <polyline points={polyline(points, least, most)} />
      </svg>
      <figcaption>{text}</figcaption>
    </figure>
  );
}

function polyline(points: readonly RangeAt[], least: number, most: number): string {
  const first = points[0]?.seconds ?? 0;
  const width = Math.max(1e-9, (points.at(-1)?.seconds ?? 0) - first);
  const height = Math.max(1e-9, most - least);
  const place = ({ seconds, range }: RangeAt) =>
    `${((300 * (seconds - first)) / width).toFixed(1)},${(57 - (54 * (range - least)) / height).toFixed(1)}`;
  return points.map(place).join(" ");
}
