import {
  arrayField,
  asPeerplaneError,
  bytesField,
  decodeCanonical,
  encodeCanonical,
  extensionsAfter,
  fromHex,
  HASH_BYTES,
  isUnderstood,
  limits,
  listField,
  PeerplaneError,
  readTip,
  SESSION_BYTES,
  textField,
  tipToValue,
  toHex,
  wholeField,
  type DeviceId,
  type OpeningEvidence,
  type PeerHint,
  type Run,
  type SessionId,
  type Summary,
  type Tip,
  type Value,
} from '@peerplane/core'

/** Commits `from` to `to` of a session. */
export interface CommitRange {
  readonly session: SessionId
  readonly from: number
  readonly to: number
}

/** A peer as another one introduces it. */
export interface Introduction extends PeerHint {
  readonly device: DeviceId
}

/** What admitted peers say to each other, one message per frame. */
export type Message =
  /** What the sender has delivered below some paths; `reply` asks for the receiver's summary of everything. */
  | { readonly kind: 'summary'; readonly nodes: readonly Summary[]; readonly reply: boolean }
  /** Tips of the sender; and please send yours below the paths `asks`, of each path at most sixteen. */
  | { readonly kind: 'have'; readonly tips: readonly Tip[]; readonly asks: readonly string[] }
  /** Please send your tips below `path`, in the order in which you have delivered their sessions, from place `after` on. */
  | { readonly kind: 'list'; readonly path: string; readonly after: number }
  /** The answer: it goes on at `next`, or ends with 0. */
  | {
      readonly kind: 'page'
      readonly path: string
      readonly tips: readonly Tip[]
      readonly next: number
    }
  /** Please send these. */
  | { readonly kind: 'want'; readonly ranges: readonly CommitRange[] }
  /** Batches of different sessions, asked for or pushed by their author. */
  | { readonly kind: 'runs'; readonly runs: readonly Run[] }
  /** Peers worth a connection; the sender's own addresses among them. */
  | { readonly kind: 'peers'; readonly peers: readonly Introduction[] }
  /** The sender ends the link, with an error code or `closed`. */
  | { readonly kind: 'bye'; readonly reason: string }

/** Digits of a session id. */
const PATH_DIGITS = 2 * SESSION_BYTES
const DIGEST_BYTES = 16
const PEER_ID_UNITS = 128
const ADDRESS_UNITS = 256
const REASON_UNITS = 64

/**
 * One frame: canonical CBOR `[kind, ...]`.
 *
 *     summary  [1, [[path, sessions, commits, digest]…], reply]
 *     have     [2, [tip…], [path…]]             tip = [session, seq, mark]
 *     want     [3, [[session, from, to]…]]
 *     runs     [4, [[session, from, [opening, [admission…]] | null, [batch…]]…]], a run with the proof of a fork if it ends with one
 *     peers    [5, [[peer, [address…], device]…]]
 *     bye      [6, reason]
 *     list     [7, path, after]
 *     page     [8, path, [tip…], next]
 *
 * Extensions follow the fields of each kind.
 */
export function encodeMessage(message: Message): Uint8Array {
  return encodeCanonical(toValue(message))
}

/**
 * The message of a frame; `undefined` when its kind or a critical key is unknown: a newer version may say more. Throws `malformed` or `too-large`.
 */
export function decodeMessage(frame: Uint8Array): Message | undefined {
  if (frame.length > limits.frameBytes) {
    throw new PeerplaneError('too-large', `a frame has ${frame.length} bytes`)
  }
  try {
    return readMessage(arrayField(decodeCanonical(frame), 'message'))
  } catch (error) {
    // Nesting that exhausts the stack is no error of ours, but it is malformed.
    throw asPeerplaneError(error, 'malformed')
  }
}

/** The messages that state tips and ask for those below paths: none for nothing, and one for all but very many. */
export function haveMessages(tips: readonly Tip[], asks: readonly string[] = []): Message[] {
  const messages: Message[] = []
  const { tipsPerMessage, pathsPerMessage } = limits
  for (let i = 0; i * tipsPerMessage < tips.length || i * pathsPerMessage < asks.length; i++) {
    messages.push({
      kind: 'have',
      tips: tips.slice(i * tipsPerMessage, (i + 1) * tipsPerMessage),
      asks: asks.slice(i * pathsPerMessage, (i + 1) * pathsPerMessage),
    })
  }
  return messages
}

function toValue(message: Message): Value {
  switch (message.kind) {
    case 'summary':
      return [1, message.nodes.map(summaryToValue), message.reply]
    case 'have':
      return [2, message.tips.map(tipToValue), message.asks]
    case 'want':
      return [3, message.ranges.map(({ session, from, to }) => [fromHex(session), from, to])]
    case 'runs':
      return [4, message.runs.map(runToValue)]
    case 'peers':
      return [5, message.peers.map((each) => introductionToValue(each))]
    case 'bye':
      return [6, message.reason]
    case 'list':
      return [7, message.path, message.after]
    case 'page':
      return [8, message.path, message.tips.map(tipToValue), message.next]
  }
}

/** How each kind is read, and how many fields it has besides extensions. */
const readers: {
  readonly [kind: number]: readonly [number, (fields: readonly Value[]) => Message]
} = {
  1: [3, (fields) => ({ kind: 'summary', ...readSummaries(fields) })],
  2: [3, (fields) => ({ kind: 'have', ...readHave(fields) })],
  3: [2, (fields) => ({ kind: 'want', ranges: readRanges(fields[1]) })],
  4: [2, (fields) => ({ kind: 'runs', runs: readRuns(fields[1]) })],
  5: [2, (fields) => ({ kind: 'peers', peers: readPeers(fields[1]) })],
  6: [2, (fields) => ({ kind: 'bye', reason: textField(fields[1], 'bye.reason', REASON_UNITS) })],
  7: [3, (fields) => ({ kind: 'list', ...readList(fields) })],
  8: [4, (fields) => ({ kind: 'page', ...readPage(fields) })],
}

function readMessage(fields: readonly Value[]): Message | undefined {
  const reader = readers[wholeField(fields[0], 'message.kind')]
  if (!reader) return undefined
  const [count, read] = reader
  const { extensions } = extensionsAfter(fields, count, 'message')
  return isUnderstood(extensions) ? read(fields) : undefined
}

const readTips = (value: Value | undefined): Tip[] =>
  listField(value, 'tips', limits.tipsPerMessage, readTip)

const readHave = (fields: readonly Value[]): { tips: Tip[]; asks: string[] } => ({
  tips: readTips(fields[1]),
  asks: listField(fields[2], 'have.asks', limits.pathsPerMessage, readPath),
})

const readSummaries = (fields: readonly Value[]): { nodes: Summary[]; reply: boolean } => ({
  nodes: listField(fields[1], 'summary.nodes', limits.summariesPerMessage, readSummary),
  reply: flag(fields[2], 'summary.reply'),
})

const summaryToValue = ({ path, sessions, commits, digest }: Summary): Value => [
  path,
  sessions,
  commits,
  fromHex(digest),
]

function readSummary(value: Value, name: string): Summary {
  const fields = arrayField(value, name, 4)
  return {
    path: readPath(fields[0], name),
    sessions: wholeField(fields[1], `${name}.sessions`),
    commits: wholeField(fields[2], `${name}.commits`),
    digest: toHex(bytesField(fields[3], `${name}.digest`, DIGEST_BYTES)),
  }
}

const readList = (fields: readonly Value[]): { path: string; after: number } => ({
  path: readPath(fields[1], 'list'),
  after: wholeField(fields[2], 'list.after'),
})

const readPage = (fields: readonly Value[]): { path: string; tips: Tip[]; next: number } => ({
  path: readPath(fields[1], 'page'),
  tips: readTips(fields[2]),
  next: wholeField(fields[3], 'page.next'),
})

function readPath(value: Value | undefined, name: string): string {
  const path = textField(value, `${name}.path`, PATH_DIGITS)
  if (!/^[0-9a-f]*$/.test(path)) {
    throw new PeerplaneError('malformed', `${name}.path is not hexadecimal`)
  }
  return path
}

const readRanges = (value: Value | undefined): CommitRange[] =>
  listField(value, 'want.ranges', limits.wantsPerMessage, (each, name) => {
    const fields = arrayField(each, name, 3)
    const from = wholeField(fields[1], `${name}.from`, 1)
    return {
      session: readSession(fields[0], name),
      from,
      to: wholeField(fields[2], `${name}.to`, from),
    }
  })

function runToValue({ session, from, opening, batches, fork }: Run): Value {
  const evidence = opening ? [opening.bytes, opening.chain] : null
  return [fromHex(session), from, evidence, batches, ...(fork ? [fork] : [])]
}

function readRuns(value: Value | undefined): Run[] {
  const runs = listField(value, 'runs', limits.runsPerMessage, readRun)
  if (runs.length === 0) throw new PeerplaneError('malformed', 'runs is empty')
  if (runs.length === 1) return runs
  if (new Set(runs.map(({ session }) => session)).size < runs.length) {
    throw new PeerplaneError('malformed', 'two runs are of one session')
  }
  const size = runs.reduce((sum, run) => sum + sizeOfRun(run), 0)
  if (size > limits.runsBytes) throw new PeerplaneError('too-large', `runs have ${size} bytes`)
  return runs
}

/** Bytes of the batches of a run, and of the proof at its end. */
export const sizeOfRun = ({ batches, fork }: Pick<Run, 'batches' | 'fork'>): number =>
  batches.reduce((sum, batch) => sum + batch.length, fork?.length ?? 0)

function readRun(value: Value, name: string): Run {
  const fields = arrayField(value, name)
  const fork = fields.length === 5 ? bytesField(fields[4], `${name}.fork`) : undefined
  if (!fork) arrayField(fields, name, 4)
  const from = wholeField(fields[1], `${name}.from`, 1)
  const opening =
    fields[2] === null ? undefined : readOpening(arrayField(fields[2], `${name}.opening`, 2))
  if ((from === 1) !== (opening !== undefined)) {
    throw new PeerplaneError('malformed', 'a run has an opening exactly when it starts at 1')
  }
  const batches = listField(fields[3], `${name}.batches`, limits.runBatches, bytesField)
  if (batches.length === 0 && !fork) {
    throw new PeerplaneError('malformed', `${name}.batches is empty`)
  }
  const size = sizeOfRun({ batches })
  if (batches.length > 1 && size > limits.runBytes) {
    throw new PeerplaneError('too-large', `a run has ${size} bytes`)
  }
  if (fork && fork.length > limits.forkBytes) {
    throw new PeerplaneError('too-large', `the proof of a fork has ${fork.length} bytes`)
  }
  const run = { session: readSession(fields[0], name), from, opening, batches }
  return fork ? { ...run, fork } : run
}

const readOpening = (fields: readonly Value[]): OpeningEvidence => ({
  bytes: bytesField(fields[0], 'run.opening.bytes'),
  chain: listField(fields[1], 'run.opening.chain', limits.admissionChain, (each, name) =>
    bytesField(each, name),
  ),
})

const introductionToValue = ({ peer, addresses, device }: Introduction): Value => [
  peer,
  addresses,
  fromHex(device),
]

const readPeers = (value: Value | undefined): Introduction[] =>
  listField(value, 'peers', limits.peersPerMessage, (each, name) => {
    const fields = arrayField(each, name, 3)
    return {
      peer: textField(fields[0], `${name}.peer`, PEER_ID_UNITS),
      addresses: listField(
        fields[1],
        `${name}.addresses`,
        limits.invitationAddresses,
        (item, itemName) => textField(item, itemName, ADDRESS_UNITS),
      ),
      device: toHex(bytesField(fields[2], `${name}.device`, HASH_BYTES)) as DeviceId,
    }
  })

const readSession = (value: Value | undefined, name: string): SessionId =>
  toHex(bytesField(value, `${name}.session`, SESSION_BYTES)) as SessionId

function flag(value: Value | undefined, name: string): boolean {
  if (typeof value !== 'boolean') {
    throw new PeerplaneError('malformed', `${name} is neither true nor false`)
  }
  return value
}
