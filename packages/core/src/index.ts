export {
  compareBytes,
  concatBytes,
  equalBytes,
  equalSecrets,
  fromBase64Url,
  fromHex,
  toBase64Url,
  toHex,
} from './bytes.ts'
export { decodeCanonical, encodeCanonical, withCanonical } from './codec.ts'
export { describe } from './describe.ts'
export {
  command,
  checkName,
  entity,
  storedShape,
  takeDeclarations,
  type Command,
  type CommandContext,
  type Commands,
  type Entity,
  type Handler,
  type StateOf,
} from './entity/entity.ts'
export {
  fromBytesValue,
  isBytesValue,
  jsonToValue,
  toBytesValue,
  valueToJson,
  type BytesValue,
} from './bytes-value.ts'
export { countVotes, type VoteCount } from './entity/count-votes.ts'
export type { Lens, LensField, StoredField, StoredShape } from './entity/layout.ts'
export type { LensEvents, StateLens } from './entity/state-history.ts'
export {
  migrate,
  type Conversion,
  type Migrations,
  type StateConversion,
} from './entity/migrations.ts'
export {
  counter,
  document,
  documentMethods,
  events,
  list,
  flag,
  growOnlyCounter,
  growOnlySet,
  map,
  multiValueRegister,
  record,
  register,
  set,
  tree,
  value,
  type StateBranch,
  text,
  vote,
  type AutoIncrementHandle,
  type CounterHandle,
  type CounterShape,
  type CustomClockHandle,
  type DocumentHandle,
  type DocumentShape,
  type Events,
  type EventsHandle,
  type EventsOf,
  type EventsShape,
  type Fields,
  type Folds,
  type FlagHandle,
  type FlagShape,
  type FlagWins,
  type GrowOnlyCounterHandle,
  type GrowOnlyCounterShape,
  type GrowOnlySetHandle,
  type GrowOnlySetShape,
  type HandleOf,
  type Item,
  type ListHandle,
  type ListShape,
  type MapHandle,
  type Wins,
  type MapShape,
  type MirrorOf,
  type MultiValueRegisterHandle,
  type MultiValueRegisterShape,
  type RecordShape,
  type RegisterClock,
  type RegisterHandle,
  type RegisterShape,
  type SetHandle,
  type SetShape,
  type Shape,
  type ShapeKind,
  type ShapeKinds,
  type SingleWriterHandle,
  type ValueHandle,
  type ValueShape,
  type WholeKind,
  type Where,
  type VoteHandle,
  type Votes,
  type VoteShape,
  type TextHandle,
  type TextShape,
  type TreeHandle,
  type TreeItem,
  type TreeShape,
} from './entity/shapes.ts'
export { equalData } from './equal-data.ts'
export {
  asPeerplaneError,
  canPass,
  codeOf,
  errorKinds,
  isA,
  PeerplaneError,
  reasonOf,
  Rejected,
  type ErrorCode,
  type ErrorKind,
} from './errors.ts'
export { arrayField, bytesField, listField, textField, wholeField } from './fields.ts'
export { domain, hash, HASH_BYTES, mac, SESSION_BYTES } from './hash.ts'
export {
  compareTimestamps,
  HybridClock,
  MAX_AHEAD_MS,
  MAX_COUNTER,
  type Timestamp,
} from './hybrid-clock.ts'
export {
  entityKey,
  splitEntityKey,
  type BatchId,
  type CommitId,
  type DeviceId,
  type EntityKey,
  type SessionId,
  type SpaceId,
} from './ids.ts'
export type { Json } from './json.ts'
export { limits, limitTable, type Limit } from './limits.ts'
export {
  batchIdOf,
  batchMessage,
  decodeBatch,
  encodeBatch,
  firstSeq,
  lastSeq,
  makeBatch,
  SEED_BYTES,
  signBatch,
  skimBatch,
  weightOf,
  verifyBatch,
  type Batch,
  type BatchCore,
  type SkimmedBatch,
} from './log/batch.ts'
export {
  commitIdOf,
  commitSize,
  decodeHeader,
  depsDigest,
  encodeHeader,
  makeCommit,
  PREFIX_BYTES,
  prefixOf,
  saltOf,
  sectionLeaf,
  readEntity,
  sectionsRoot,
  type Commit,
  type Dot,
  type Header,
  type Section,
} from './log/commit.ts'
export type { Frontier } from './log/frontier.ts'
export {
  branchOf,
  decodeForkProof,
  encodeForkProof,
  firstIdOf,
  forkedTip,
  isForkedTip,
  verifyForkProof,
  type BatchLink,
  type Branch,
  type ForkProof,
} from './log/fork.ts'
export {
  tipAfter,
  WrittenSession,
  type Signer,
  type WritingTools,
  type WrittenCommit,
  type WrittenOpening,
} from './log/written-session.ts'
export { copyPlain, freeze, isPlain, reading, setProperty, type PlainBounds } from './plain.ts'
export { merklePath, merkleRoot, verifyMerklePath } from './log/merkle.ts'
export { extensionsAfter, isUnderstood, withExtensions, type Extensions } from './log/extensions.ts'
export {
  decodeOpening,
  encodeOpening,
  firstPrevious,
  FORMAT_VERSION,
  makeOpening,
  sessionIdOf,
  type Opening,
  type OpeningRecord,
} from './log/opening.ts'
export { toSparse, verifySparse, type SparseCommit, type SparseSection } from './log/sparse.ts'
export { MARK_BYTES, markOf, readTip, tipToValue, type Tip } from './log/tip.ts'
export { LEAF_SESSIONS, TipTrie, type Summary } from './log/tip-trie.ts'
export { memoryBudget, type MemoryShare } from './memory-budget.ts'
export type { Clock } from './ports/clock.ts'
export type { Crypto, SigningKey } from './ports/crypto.ts'
export {
  JOURNAL_SHARDS,
  type Appended,
  type Journal,
  type JournalCaller,
  type JournalEvent,
  type JournalGroup,
  type JournalOutcome,
  type JournalSnapshot,
  type JournalWatermark,
  type Lease,
  type LeaseClaim,
  type UnderLease,
} from './ports/journal.ts'
export type {
  Channel,
  Identity,
  Link,
  Network,
  NetworkHandler,
  NetworkStatus,
  Path,
  PeerHint,
  Protocol,
  Refusal,
} from './ports/network.ts'
export { refusals } from './ports/network.ts'
export { perturbations, type Perturb, type Perturbation } from './ports/perturb.ts'
export type { Random } from './ports/random.ts'
export type { Admitted, OpeningEvidence, Replica, Run } from './ports/replica.ts'
export type { Scheduler } from './ports/scheduler.ts'
export type {
  Body,
  Draft,
  EntitySize,
  EntityState,
  Lineage,
  Origin,
  StateModel,
} from './ports/state-model.ts'
export type {
  Aside,
  Entry,
  KeyRange,
  Store,
  StoreDurability,
  Witness,
  Write,
} from './ports/store.ts'
export {
  traceEvents,
  traceLevels,
  traceTo,
  type Trace,
  type TraceFields,
  type TraceLevel,
  type TraceListener,
  type TraceName,
} from './ports/trace.ts'
export {
  admit,
  decodeAdmission,
  grantToValue,
  isChainUnderstood,
  mayMakeAnchors,
  readGrant,
  roleOf,
  signGrant,
  verifyAdmissions,
  type Admission,
  type Grant,
} from './trust/admission.ts'
export type { Role } from './trust/role.ts'
export { checkInvitationTime, clockDoubt, dateText, RELEASED_MS } from './trust/clocks.ts'
export {
  createInvitation,
  encodeInvitation,
  invitationLink,
  readInvitation,
  type Invitation,
} from './trust/invitation.ts'
export { Services, type Service } from './services.ts'
export { compareTexts, fromUtf8, halfPair, utf8 } from './text.ts'
export { mayName } from './controls.ts'
export { Timers } from './timers.ts'
export { createSpace, decodeSpaceRecord, type Space, type SpaceRecord } from './trust/space.ts'
export type { Value } from './value.ts'
