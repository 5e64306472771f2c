// Made by `npm run generate` from docs/schemas. Do not edit.

/**
 * State of the agent's state machine (FSMStateEnum on the wire).
 */
export type FSMState = 0 | 1 | 2 | 3 | 4 | 5;
/**
 * Outcome of a transition.
 */
export type FSMTransitionStatus = 0 | 1 | 2 | 3;
/**
 * Side of a contact, from the table of known identities.
 */
export type FriendFoe = 0 | 1 | 2 | 3;
/**
 * Transponder mode: claimed by the reply on a detection, inferred by the tracker on a track.
 */
export type TransponderMode = 0 | 1 | 2 | 3;
/**
 * Long range carries no identity, short range does.
 */
export type RadarRangeBand = 0 | 1 | 2;
/**
 * Kind of a contact.
 */
export type ObjectType = 0 | 1 | 2 | 3 | 4 | 5;
/**
 * Life of a track.
 */
export type RadarTrackStatus = 0 | 1 | 2 | 3 | 4;
/**
 * The way on which an order came.
 */
export type Origin = "control" | "grpc" | "scenario" | "fork";
/**
 * Fault of a device (DeviceStatus.StatusCode on the wire).
 */
export type DeviceCode = 0 | 1 | 2 | 3 | 4;
/**
 * Condition of a device (DeviceStatus.Status on the wire).
 */
export type DeviceStatus = 0 | 1 | 2 | 3 | 4;
/**
 * Kind of a device (DeviceStatus.DeviceType on the wire).
 */
export type DeviceType = 0 | 1 | 2 | 3 | 4 | 5;
/**
 * State of a proposal.
 */
export type ProposalStatus = 0 | 1 | 2 | 3 | 4 | 5;
/**
 * Purpose of a proposal; lower numbers take precedence.
 */
export type ProposalType = 0 | 1 | 2 | 3 | 4;

export interface Payloads {
  EngineState: EngineState;
  FSMState: FSMState;
  FSMTransitionStatus: FSMTransitionStatus;
  FsmSnapshot: FsmSnapshot;
  InputState: InputState;
  TransitionRecord: TransitionRecord;
  AgentState: AgentState;
  AuditAnchor: AuditAnchor;
  CommandMetadata: CommandMetadata;
  CommandMessage: CommandMessage;
  AckPayload: AckPayload;
  ErrorDetail: ErrorDetail;
  ControlAck: ControlAck;
  FriendFoe: FriendFoe;
  TransponderMode: TransponderMode;
  GuardAlert: GuardAlert;
  RadarDetection: RadarDetection;
  RadarRangeBand: RadarRangeBand;
  RadarFrame: RadarFrame;
  ObjectType: ObjectType;
  RadarTrackStatus: RadarTrackStatus;
  Vector: Vector;
  RadarTrack: RadarTrack;
  ServiceHealth: ServiceHealth;
  Origin: Origin;
  SimOrder: SimOrder;
  SimRun: SimRun;
  Attitude: Attitude;
  CommsState: CommsState;
  DockingState: DockingState;
  HullState: HullState;
  PowerState: PowerState;
  PropulsionState: PropulsionState;
  SimState: SimState;
  ThermalNode: ThermalNode;
  ThermalState: ThermalState;
  TelemetrySnapshot: TelemetrySnapshot;
  TrackEstimate: TrackEstimate;
  TrackEstimates: TrackEstimates;
  TrackedFrame: TrackedFrame;
  TruthBot: TruthBot;
  TruthContact: TruthContact;
  TruthSnapshot: TruthSnapshot;
  AccessRefused: AccessRefused;
  ActuatorOutcome: ActuatorOutcome;
  AuditAnchorFault: AuditAnchorFault;
  AuditBroken: AuditBroken;
  AuditDisputed: AuditDisputed;
  AuditKeyChanged: AuditKeyChanged;
  AuditPruned: AuditPruned;
  AuditRecord: AuditRecord;
  AuditRepaired: AuditRepaired;
  AuditSigned: AuditSigned;
  AuditSigningBegun: AuditSigningBegun;
  AuditUnsigned: AuditUnsigned;
  DeviceCode: DeviceCode;
  DeviceReport: DeviceReport;
  DeviceStatus: DeviceStatus;
  DeviceType: DeviceType;
  BiosStatus: BiosStatus;
  Connection: Connection;
  ActionTaken: ActionTaken;
  Evidence: Evidence;
  ProposalStatus: ProposalStatus;
  ProposalType: ProposalType;
  Decision: Decision;
  EventsDropped: EventsDropped;
  GuardCleared: GuardCleared;
  HealthChange: HealthChange;
  HullStruck: HullStruck;
  IdentitySpoofed: IdentitySpoofed;
  Lag: Lag;
  LifeCycle: LifeCycle;
  MessageIdTaken: MessageIdTaken;
  PowerLevel: PowerLevel;
  RadarAvailability: RadarAvailability;
  RadarFramesSeen: RadarFramesSeen;
  RadarGap: RadarGap;
  RadarTracksSeen: RadarTracksSeen;
  Refusal: Refusal;
  RunResumed: RunResumed;
  RunStarted: RunStarted;
  SensorAvailability: SensorAvailability;
  SystemMode: SystemMode;
}
/**
 * Result of an engine's last call.
 */
export interface EngineState {
  proposals: number;
  duration_s: number;
  fault: string | null;
}
/**
 * State and transitions of the state machine, newest last.
 */
export interface FsmSnapshot {
  snapshot_id: string;
  timestamp: string;
  current_state: FSMState;
  history: TransitionRecord[];
  context_data?: {
    [k: string]: string;
  };
  fsm_instance_id: string;
  state_metadata?: {
    [k: string]: string;
  };
  source_module?: string;
  attempt_count: number;
}
/**
 * One step of the state machine.
 */
export interface TransitionRecord {
  timestamp: string;
  from_state: FSMState;
  to_state: FSMState;
  trigger_event: string;
  status: FSMTransitionStatus;
  error_message?: string;
}
/**
 * One input of the agent: its newest message, and its liveness.
 */
export interface InputState {
  subject: string;
  sequence: number | null;
  age_s: number | null;
  alive: boolean;
}
/**
 * On `qiki.agent.v1.state`, once a second and at every transition.
 */
export interface AgentState {
  schema_version?: number;
  timestamp: string;
  conduct: string;
  lockstep_ticks?: number;
  tick: number;
  run_id: string;
  fsm: FsmSnapshot;
  causes: string[];
  good_checks: number;
  inputs: {
    [k: string]: InputState;
  };
  bios_ok: boolean | null;
  engines: {
    [k: string]: EngineState;
  };
  tracks: number;
  alerts: number;
}
/**
 * A head of the audit log, signed: the record with this sequence has this hash, and so has all that is before it.
 *
 * Sequence 0 is the beginning, with 64 zeros. `signature` is Ed25519 by the private half of `key` over five lines of
 * text: `qiki audit head 1`, sequence, hash, `signed_at`, `key`; each ends with a line feed.
 */
export interface AuditAnchor {
  schema_version?: number;
  sequence: number;
  hash: string;
  signed_at: string;
  key: string;
  signature: string;
}
/**
 * The sender, and the id of the answer.
 */
export interface CommandMetadata {
  message_id?: string | null;
  correlation_id?: string | null;
  timestamp?: string | null;
  message_type?: string;
  source?: string;
  destination?: string;
}
/**
 * One command on `qiki.commands.control`.
 */
export interface CommandMessage {
  command_name: string;
  parameters?: {
    [k: string]: unknown;
  };
  metadata: CommandMetadata;
}
/**
 * The result of the command.
 */
export interface AckPayload {
  command_name: string | null;
  status: string;
}
/**
 * Why a command was refused.
 */
export interface ErrorDetail {
  code: string;
  message: string;
  details?: {
    [k: string]: unknown;
  };
}
/**
 * Acknowledgement of a command; two of its values have second names for older readers.
 */
export interface ControlAck {
  version?: number;
  kind: string | null;
  timestamp: string;
  requestId?: string | null;
  request_id?: string | null;
  success: boolean;
  ok: boolean;
  payload: AckPayload;
  error?: string | null;
  error_detail?: ErrorDetail | null;
}
/**
 * Alert of a guard rule that a track met.
 */
export interface GuardAlert {
  schema_version?: number;
  category?: string;
  kind?: string;
  source?: string;
  subject: string;
  ts_epoch: number;
  rule_id: string;
  id: string;
  track_id: string;
  fsm_event: string;
  severity: string;
  message: string;
  range_m: number;
  quality: number;
  iff: FriendFoe;
  transponder_on: boolean;
  transponder_mode: TransponderMode;
}
/**
 * One plot: the radar's measurement and the claims of the transponder's reply.
 */
export interface RadarDetection {
  range_m: number;
  bearing_deg: number;
  elev_deg: number;
  vr_mps: number;
  snr_db: number;
  rcs_dbsm: number;
  transponder_on?: boolean;
  /**
   * Transponder mode: claimed by the reply on a detection, inferred by the tracker on a track.
   */
  transponder_mode?: 0 | 1 | 2 | 3;
  transponder_id?: string | null;
  /**
   * Long range carries no identity, short range does.
   */
  range_band?: 0 | 1 | 2;
  id_present?: boolean | null;
}
/**
 * One scan.
 */
export interface RadarFrame {
  schema_version?: number;
  frame_id: string;
  sensor_id: string;
  timestamp: string;
  ts_event?: string | null;
  ts_ingest?: string | null;
  detections?: RadarDetection[];
}
/**
 * Three world axes: m or m/s.
 */
export interface Vector {
  x: number;
  y: number;
  z: number;
}
/**
 * One track at one frame; position and velocity relative to the bot, in world axes.
 */
export interface RadarTrack {
  schema_version?: number;
  track_id: string;
  /**
   * Kind of a contact.
   */
  object_type?: 0 | 1 | 2 | 3 | 4 | 5;
  /**
   * Side of a contact, from the table of known identities.
   */
  iff?: 0 | 1 | 2 | 3;
  transponder_on?: boolean;
  /**
   * Transponder mode: claimed by the reply on a detection, inferred by the tracker on a track.
   */
  transponder_mode?: 0 | 1 | 2 | 3;
  transponder_id?: string | null;
  quality?: number;
  status: RadarTrackStatus;
  range_m: number;
  bearing_deg: number;
  elev_deg: number;
  vr_mps: number;
  snr_db: number;
  rcs_dbsm: number;
  position?: Vector | null;
  velocity?: Vector | null;
  position_covariance?: number[] | null;
  velocity_covariance?: number[] | null;
  age_s?: number;
  miss_count?: number;
  timestamp: string;
  ts_event?: string | null;
  ts_ingest?: string | null;
  /**
   * Long range carries no identity, short range does.
   */
  range_band?: 0 | 1 | 2;
  id_present?: boolean | null;
}
/**
 * On `qiki.health.v1.NAME`: what the service's `/readyz` says.
 *
 * `timestamp` is wall time. `waiting_for` has each condition that does not hold, and why.
 */
export interface ServiceHealth {
  schema_version?: number;
  timestamp: string;
  service: string;
  ready: boolean;
  status: string;
  waiting_for?: {
    [k: string]: string;
  };
}
/**
 * An order that took effect.
 *
 * `tick` is the number of ticks that were done before: the next one is the first with its effect. `number` counts the
 * run's orders from 0, in their sequence. `sender` is an identity for gRPC, and what the command says for control.
 */
export interface SimOrder {
  schema_version?: number;
  run_id: string;
  tick: number;
  number: number;
  order: string;
  parameters: {
    [k: string]: unknown;
  };
  origin: Origin;
  sender?: string;
  message_id?: string | null;
}
/**
 * A run that begins: with its orders, all that its frames and its truth follow from.
 *
 * `scenario` has the fields of a scenario file, `parameters` those of the BotSpec's planes. `speed` is the
 * default one, in simulated seconds a second.
 */
export interface SimRun {
  schema_version?: number;
  run_id: string;
  timestamp: string;
  scenario: {
    [k: string]: unknown;
  };
  seed: number;
  parameters: {
    [k: string]: unknown;
  };
  sr_threshold_m: number;
  speed: number;
}
/**
 * Counter-clockwise from +X for yaw.
 */
export interface Attitude {
  roll_rad: number;
  pitch_rad: number;
  yaw_rad: number;
}
/**
 * The transponder.
 */
export interface CommsState {
  xpdr_mode: TransponderMode;
  xpdr_allowed: boolean;
}
/**
 * The docking plane.
 */
export interface DockingState {
  state: string;
  port: string | null;
}
/**
 * Percent.
 */
export interface HullState {
  integrity: number;
}
/**
 * The power plane.
 */
export interface PowerState {
  soc_pct: number;
  power_in_w: number;
  power_out_w: number;
  bus_v: number;
  bus_a: number;
  sources_w: {
    [k: string]: number;
  };
  loads_w: {
    [k: string]: number;
  };
  supercap_soc_pct: number;
  dock_connected: boolean;
  nbl_active: boolean;
  load_shedding: boolean;
  shed_loads: string[];
  faults: string[];
}
/**
 * The propulsion plane.
 */
export interface PropulsionState {
  propellant_kg: number;
  rcs_active: boolean;
}
/**
 * State of the simulation.
 */
export interface SimState {
  running: boolean;
  paused: boolean;
  speed: number;
  tick: number;
  run_id: string;
  behind_s: number;
}
/**
 * One node of the heat network.
 */
export interface ThermalNode {
  id: string;
  temp_c: number;
  t_max_c: number;
  tripped: boolean;
}
/**
 * The thermal plane.
 */
export interface ThermalState {
  nodes: ThermalNode[];
}
/**
 * On `qiki.telemetry`; time stamps are simulated time.
 */
export interface TelemetrySnapshot {
  schema_version?: number;
  source: string;
  timestamp: string;
  ts_unix_ms: number;
  sim_state: SimState;
  position: Vector;
  velocity: number;
  heading: number;
  attitude: Attitude;
  battery: number;
  hull: HullState;
  power: PowerState;
  thermal: ThermalState;
  propulsion: PropulsionState;
  docking: DockingState;
  comms: CommsState;
  sensors: {
    [k: string]: unknown;
  };
}
/**
 * Whole state of one track: position, velocity and acceleration, in world axes.
 *
 * Position and velocity are relative to the bot's, the acceleration is the contact's own. `covariance` is the upper
 * triangle, row by row. The first of `mode_probabilities` is that of quiet flight, whose acceleration is 0; the others
 * are those of manoeuvres. `existence` is the probability that the track is a real contact.
 */
export interface TrackEstimate {
  track_id: string;
  state: number[];
  covariance: number[];
  mode_probabilities: number[];
  existence: number;
}
/**
 * Estimates of a frame's live tracks, in the order of their birth; a frame with many gives several parts.
 */
export interface TrackEstimates {
  run_id: string;
  frame: number;
  timestamp: string;
  part: number;
  parts: number;
  tracks?: TrackEstimate[];
}
/**
 * Notice that a frame's tracks are stored, with their number.
 */
export interface TrackedFrame {
  run_id: string;
  frame_id: string;
  frame: number;
  timestamp: string;
  tracks: number;
}
/**
 * The bot itself, world axes.
 */
export interface TruthBot {
  position: Vector;
  velocity: Vector;
}
/**
 * True state of a contact, world axes.
 */
export interface TruthContact {
  id: string;
  object_type: ObjectType;
  iff: FriendFoe;
  transponder_mode: TransponderMode;
  transponder_id?: string | null;
  position: Vector;
  velocity: Vector;
}
/**
 * On `qiki.truth.v1.contacts`, at the frame rate: for scoring and tests.
 */
export interface TruthSnapshot {
  run_id: string;
  frame: number;
  timestamp: string;
  bot: TruthBot;
  contacts: TruthContact[];
}
/**
 * The broker refused a client: a subject that it may not use, or a key that the broker does not know.
 *
 * Attributes:
 *     identity: name of the client; of an unknown one its public key or user name
 *     verb: `publish`, `subscribe`, or `connect`
 *     on_subject: empty for `connect`
 *     address: of the client, HOST:PORT
 *     count: refusals of this kind since the last event of it
 */
export interface AccessRefused {
  schema_version?: number;
  category?: string;
  source: string;
  ts_epoch: number;
  identity: string;
  verb: string;
  on_subject: string;
  address: string;
  count: number;
}
/**
 * The outcome of an actuator command.
 *
 * `identity` is that of the sender, where the simulator has checked it; `command_id` is the sender's own, null where
 * it gave none.
 */
export interface ActuatorOutcome {
  schema_version?: number;
  category?: string;
  source?: string;
  ts_epoch: number;
  run_id: string;
  actuator: string;
  accepted: boolean;
  message: string;
  identity?: string | null;
  command_id?: string | null;
}
/**
 * The anchors' stream does not hold what was published there last.
 *
 * `skipped` messages after the newest anchor of our key are none of ours; without such an anchor `sequence` is null,
 * and a cut at the end of the log would not have shown.
 */
export interface AuditAnchorFault {
  schema_version?: number;
  category?: string;
  source?: string;
  ts_epoch: number;
  skipped: number;
  sequence: number | null;
}
/**
 * The audit log is not as it was left: lines were cut off, changed or slipped in while the registrar was away.
 *
 * Where the record `expected` should stand, or should be followed by the next one, the files have `found`.
 */
export interface AuditBroken {
  schema_version?: number;
  category?: string;
  source?: string;
  ts_epoch: number;
  found_sequence: number;
  found_hash: string;
  expected_sequence: number;
  expected_hash: string;
}
/**
 * The newest record on the audit subject is not in the log: forged there, or cut off before it was signed.
 */
export interface AuditDisputed {
  schema_version?: number;
  category?: string;
  source?: string;
  ts_epoch: number;
  stream_sequence: number;
  record_sequence: number | null;
}
/**
 * The head of the audit log, signed with another key than before; `previous_key` is the one before.
 */
export interface AuditKeyChanged {
  schema_version?: number;
  category?: string;
  source?: string;
  ts_epoch: number;
  head: AuditAnchor;
  adopted?: number;
  previous_key: string;
}
/**
 * The oldest files of the audit log were removed, as configured.
 */
export interface AuditPruned {
  schema_version?: number;
  category?: string;
  source?: string;
  ts_epoch: number;
  files: string[];
  last_sequence: number;
  last_hash: string;
}
/**
 * A registered event and its link in the chain.
 *
 * `hash` is the SHA-256 of the line without its last member, `hash` itself; it covers `previous_hash`, which is 64
 * zeros in the first record. `timestamp` is the event's own time, `registered_at` wall time.
 */
export interface AuditRecord {
  event_id: string;
  code: number | null;
  event_type: string;
  source: string;
  timestamp: string;
  payload: unknown;
  severity: "INFO" | "WARNING" | "ERROR" | "CRITICAL";
  sequence: number;
  registered_at: string;
  previous_hash: string;
  hash: string;
}
/**
 * A line of the audit log that a crash had cut short was removed; its event is registered again.
 */
export interface AuditRepaired {
  schema_version?: number;
  category?: string;
  source?: string;
  ts_epoch: number;
  file: string;
  torn_bytes: number;
}
/**
 * The head of the audit log before this record, signed.
 *
 * `adopted` records before it were found unsigned at the registrar's start, after the last signed head.
 */
export interface AuditSigned {
  schema_version?: number;
  category?: string;
  source?: string;
  ts_epoch: number;
  head: AuditAnchor;
  adopted?: number;
}
/**
 * The head of the audit log, signed for the first time: the records before it are as they were found then.
 */
export interface AuditSigningBegun {
  schema_version?: number;
  category?: string;
  source?: string;
  ts_epoch: number;
  head: AuditAnchor;
  adopted?: number;
}
/**
 * The registrar has a folder of keys without a signing key: the audit log goes on without signatures.
 */
export interface AuditUnsigned {
  schema_version?: number;
  category?: string;
  source?: string;
  ts_epoch: number;
  missing: string;
}
/**
 * The result of the self test for one device.
 */
export interface DeviceReport {
  device_id: string;
  device_name: string;
  status: DeviceStatus;
  error_message?: string;
  device_type: DeviceType;
  /**
   * Fault of a device (DeviceStatus.StatusCode on the wire).
   */
  status_code?: 0 | 1 | 2 | 3 | 4;
}
/**
 * Power-on self test of the specified devices; `health_score` is the share of devices that are OK.
 */
export interface BiosStatus {
  schema_version?: number;
  category?: string;
  source?: string;
  ts_epoch: number;
  run_id: string;
  bios_uuid: string;
  firmware_version: string;
  all_systems_go: boolean;
  health_score: number;
  last_checked: string;
  uptime_sec: number;
  post_results: DeviceReport[];
}
/**
 * A service's connection to NATS comes or goes.
 */
export interface Connection {
  schema_version?: number;
  category?: string;
  source: string;
  ts_epoch: number;
  connection: string;
}
/**
 * One actuator command of a proposal; `accepted` is None if it was not sent.
 *
 * `command_id` is the id with which it was, or would have been, sent: the order and the actuator's event repeat it.
 */
export interface ActionTaken {
  actuator: string;
  command: string;
  value: number;
  timeout_ms?: number;
  accepted?: boolean | null;
  message?: string;
  command_id?: string;
}
/**
 * A message that a decision rests on: its subject, its stream sequence and its age.
 */
export interface Evidence {
  subject: string;
  sequence: number | null;
  age_s: number;
}
/**
 * The outcome of one proposal.
 */
export interface Decision {
  schema_version?: number;
  category?: string;
  source: string;
  ts_epoch: number;
  run_id: string;
  tick: number;
  state: FSMState;
  proposal_id: string;
  type: ProposalType;
  status: ProposalStatus;
  justification: string;
  reason?: string;
  priority: number;
  confidence: number;
  actions: ActionTaken[];
  rests_on: Evidence[];
}
/**
 * A service had to drop events, this many, as NATS was away for too long.
 */
export interface EventsDropped {
  schema_version?: number;
  category?: string;
  source: string;
  ts_epoch: number;
  dropped: number;
}
/**
 * A track no longer meets a guard rule: it left, changed, or was lost.
 */
export interface GuardCleared {
  schema_version?: number;
  category?: string;
  source?: string;
  ts_epoch: number;
  run_id: string;
  rule_id: string;
  track_id: string;
  fsm_event: string;
}
/**
 * A service becomes ready, or stops being ready; `problems` maps condition to problem.
 */
export interface HealthChange {
  schema_version?: number;
  category?: string;
  source: string;
  ts_epoch: number;
  problems: {
    [k: string]: string;
  };
}
/**
 * The hull was hit.
 */
export interface HullStruck {
  schema_version?: number;
  category?: string;
  source?: string;
  ts_epoch: number;
  run_id: string;
  integrity_pct: number;
}
/**
 * A track claims an identity that is another's.
 */
export interface IdentitySpoofed {
  schema_version?: number;
  category?: string;
  source?: string;
  ts_epoch: number;
  run_id: string;
  track_id: string;
  transponder_id: string | null;
  range_m: number;
}
/**
 * A reader falls behind, or has caught up: messages that wait, and how long the oldest has waited.
 */
export interface Lag {
  schema_version?: number;
  category?: string;
  source: string;
  ts_epoch: number;
  stream: string;
  consumer: string;
  pending: number;
  oldest_s: number;
  threshold_s: number;
}
/**
 * A service or a one-shot begins, is ready, or fails.
 */
export interface LifeCycle {
  schema_version?: number;
  category?: string;
  source: string;
  ts_epoch: number;
  detail?: string;
}
/**
 * A message of a service was not stored: another one, perhaps forged, has its message id.
 */
export interface MessageIdTaken {
  schema_version?: number;
  category?: string;
  source: string;
  ts_epoch: number;
  stream: string;
  subject: string;
  message_id: string;
  stored_sequence: number;
}
/**
 * The battery's level, with the loads shed and the faults.
 */
export interface PowerLevel {
  schema_version?: number;
  category?: string;
  source?: string;
  ts_epoch: number;
  run_id: string;
  soc_pct: number;
  shed_loads: string[];
  faults: string[];
}
/**
 * The vehicle gives the radar power, or sheds it for a reason.
 */
export interface RadarAvailability {
  schema_version?: number;
  category?: string;
  source?: string;
  ts_epoch: number;
  run_id: string;
  available: boolean;
  reason: string;
}
/**
 * Frames received, and the number of their detections.
 */
export interface RadarFramesSeen {
  schema_version?: number;
  category?: string;
  source?: string;
  ts_epoch: number;
  stream: string;
  stream_created: string;
  first_sequence: number;
  last_sequence: number;
  second_epoch: number;
  frames: number;
  unreadable?: number;
  detections: number;
}
/**
 * Frames that were measured and lost before they were published; first and last number are lost too.
 */
export interface RadarGap {
  schema_version?: number;
  category?: string;
  source?: string;
  ts_epoch: number;
  run_id: string;
  first_frame: number;
  last_frame: number;
  reason: string;
}
/**
 * Frames tracked, and the number of their track messages.
 */
export interface RadarTracksSeen {
  schema_version?: number;
  category?: string;
  source?: string;
  ts_epoch: number;
  stream: string;
  stream_created: string;
  first_sequence: number;
  last_sequence: number;
  second_epoch: number;
  frames: number;
  unreadable?: number;
  tracks: number;
}
/**
 * A refused command.
 */
export interface Refusal {
  schema_version?: number;
  category?: string;
  source?: string;
  ts_epoch: number;
  command: string | null;
  sender: string;
  request_id: string | null;
  reason: string;
}
/**
 * A killed simulator goes on with its run, `tick` ticks behind its begin.
 */
export interface RunResumed {
  schema_version?: number;
  category?: string;
  source?: string;
  ts_epoch: number;
  run_id: string;
  scenario: string;
  tick: number;
}
/**
 * A run of the world begins.
 */
export interface RunStarted {
  schema_version?: number;
  category?: string;
  source?: string;
  ts_epoch: number;
  run_id: string;
  scenario: string;
  seed: number;
}
/**
 * A sensor fails, or works again.
 */
export interface SensorAvailability {
  schema_version?: number;
  category?: string;
  source: string;
  ts_epoch: number;
  run_id: string;
  sensor: string;
  available: boolean;
}
/**
 * Change of the agent's mode: BOOTING, NORMAL, SAFE_MODE (the state ERROR_STATE) or SHUTDOWN.
 */
export interface SystemMode {
  schema_version?: number;
  category?: string;
  source?: string;
  ts_epoch: number;
  run_id: string;
  mode: string;
  previous: string;
  state: FSMState;
  trigger: string;
  reasons: string[];
  rests_on: Evidence[];
}
