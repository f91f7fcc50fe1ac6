import {
  arrayField,
  asPeerplaneError,
  bytesField,
  decodeCanonical,
  encodeCanonical,
  fromHex,
  HASH_BYTES,
  limits,
  listField,
  PeerplaneError,
  readTip,
  textField,
  tipToValue,
  toHex,
  wholeField,
  type DeviceId,
  type OpeningEvidence,
  type PeerHint,
  type Run,
  type SessionId,
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
  readonly anchor: boolean
}

/** What admitted peers say to each other, one message per frame. */
export type Message =
  /** The sender's whole delivered frontier, compacted; `reply` asks for the receiver's. */
  | { readonly kind: 'frontier'; readonly tips: readonly Tip[]; readonly reply: boolean }
  /** Tips that have changed since the sender last told. */
  | { readonly kind: 'have'; readonly tips: readonly Tip[] }
  /** Please send these. */
  | { readonly kind: 'want'; readonly ranges: readonly CommitRange[] }
  /** Batches, asked for or pushed by their author. */
  | { readonly kind: 'run'; readonly run: Run }
  /** Peers worth a connection; the sender's own addresses among them. */
  | { readonly kind: 'peers'; readonly peers: readonly Introduction[] }
  /** The sender ends the link, with an error code or `closed`. */
  | { readonly kind: 'bye'; readonly reason: string }

/** Tips in one frame; a longer frontier goes on in `have` messages. 16,384 of at most 61 bytes are far below the limit of a frame. */
const TIPS_PER_FRAME = 16_384
const PEER_ID_UNITS = 128
const ADDRESS_UNITS = 256
const REASON_UNITS = 64

/**
 * One frame: canonical CBOR `[kind, ...]`.
 *
 *     frontier [1, [tip…], reply]          tip = [session, seq, mark]
 *     have     [2, [tip…]]
 *     want     [3, [[session, from, to]…]]
 *     run      [4, session, from, [opening, signature, [admission…]] | null, [batch…]], and the proof of a fork if it ends with one
 *     peers    [5, [[peer, [address…], device, anchor]…]]
 *     bye      [6, reason]
 */
export function encodeMessage(message: Message): Uint8Array {
  return encodeCanonical(toValue(message))
}

/** The message of a frame; `undefined` when its kind is unknown: a newer version may say more. Throws `malformed` or `too-large`. */
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

/** The messages that tell a whole frontier: one, unless it is very long. */
export function frontierMessages(tips: readonly Tip[], reply: boolean): Message[] {
  const first = tips.slice(0, TIPS_PER_FRAME)
  return [{ kind: 'frontier', tips: first, reply }, ...haveMessages(tips.slice(TIPS_PER_FRAME))]
}

/** The messages that tell tips: none for no tips, and one for all but very many. */
export function haveMessages(tips: readonly Tip[]): Message[] {
  const messages: Message[] = []
  for (let i = 0; i < tips.length; i += TIPS_PER_FRAME) {
    messages.push({ kind: 'have', tips: tips.slice(i, i + TIPS_PER_FRAME) })
  }
  return messages
}

function toValue(message: Message): Value {
  switch (message.kind) {
    case 'frontier':
      return [1, message.tips.map(tipToValue), message.reply]
    case 'have':
      return [2, message.tips.map(tipToValue)]
    case 'want':
      return [3, message.ranges.map(({ session, from, to }) => [fromHex(session), from, to])]
    case 'run': {
      const { session, from, opening, batches, fork } = message.run
      const evidence = opening ? [opening.bytes, opening.signature, opening.chain] : null
      return [4, fromHex(session), from, evidence, batches, ...(fork ? [fork] : [])]
    }
    case 'peers':
      return [5, message.peers.map((each) => introductionToValue(each))]
    case 'bye':
      return [6, message.reason]
  }
}

function readMessage(fields: readonly Value[]): Message | undefined {
  switch (wholeField(fields[0], 'message.kind')) {
    case 1:
      return { kind: 'frontier', ...readFrontier(arrayField(fields, 'frontier', 3)) }
    case 2:
      return { kind: 'have', tips: readTips(arrayField(fields, 'have', 2)[1]) }
    case 3:
      return { kind: 'want', ranges: readRanges(arrayField(fields, 'want', 2)[1]) }
    case 4:
      return { kind: 'run', run: readRun(fields) }
    case 5:
      return { kind: 'peers', peers: readPeers(arrayField(fields, 'peers', 2)[1]) }
    case 6:
      return {
        kind: 'bye',
        reason: textField(arrayField(fields, 'bye', 2)[1], 'bye.reason', REASON_UNITS),
      }
    default:
      return undefined
  }
}

const readTips = (value: Value | undefined): Tip[] =>
  listField(value, 'tips', limits.frontierSessions, readTip)

const readFrontier = (fields: readonly Value[]): { tips: Tip[]; reply: boolean } => ({
  tips: readTips(fields[1]),
  reply: flag(fields[2], 'frontier.reply'),
})

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

function readRun(fields: readonly Value[]): Run {
  const fork = fields.length === 6 ? bytesField(fields[5], 'run.fork') : undefined
  if (!fork) arrayField(fields, 'run', 5)
  const from = wholeField(fields[2], 'run.from', 1)
  const opening =
    fields[3] === null ? undefined : readOpening(arrayField(fields[3], 'run.opening', 3))
  if ((from === 1) !== (opening !== undefined)) {
    throw new PeerplaneError('malformed', 'a run has an opening exactly when it starts at 1')
  }
  const batches = listField(fields[4], 'run.batches', limits.runBatches, bytesField)
  if (batches.length === 0 && !fork) {
    throw new PeerplaneError('malformed', 'run.batches is empty')
  }
  const size = batches.reduce((sum, batch) => sum + batch.length, 0)
  if (batches.length > 1 && size > limits.runBytes) {
    throw new PeerplaneError('too-large', `a run has ${size} bytes`)
  }
  if (fork && fork.length > limits.forkBytes) {
    throw new PeerplaneError('too-large', `the proof of a fork has ${fork.length} bytes`)
  }
  const run = { session: readSession(fields[1], 'run'), from, opening, batches }
  return fork ? { ...run, fork } : run
}

const readOpening = (fields: readonly Value[]): OpeningEvidence => ({
  bytes: bytesField(fields[0], 'run.opening.bytes'),
  signature: bytesField(fields[1], 'run.opening.signature', 64),
  chain: listField(fields[2], 'run.opening.chain', limits.admissionChain, (each, name) =>
    bytesField(each, name),
  ),
})

const introductionToValue = ({ peer, addresses, device, anchor }: Introduction): Value => [
  peer,
  addresses,
  fromHex(device),
  anchor,
]

const readPeers = (value: Value | undefined): Introduction[] =>
  listField(value, 'peers', limits.peersPerMessage, (each, name) => {
    const fields = arrayField(each, name, 4)
    return {
      peer: textField(fields[0], `${name}.peer`, PEER_ID_UNITS),
      addresses: listField(
        fields[1],
        `${name}.addresses`,
        limits.invitationAddresses,
        (item, itemName) => textField(item, itemName, ADDRESS_UNITS),
      ),
      device: toHex(bytesField(fields[2], `${name}.device`, HASH_BYTES)) as DeviceId,
      anchor: flag(fields[3], `${name}.anchor`),
    }
  })

const readSession = (value: Value | undefined, name: string): SessionId =>
  toHex(bytesField(value, `${name}.session`, HASH_BYTES)) as SessionId

function flag(value: Value | undefined, name: string): boolean {
  if (typeof value !== 'boolean') {
    throw new PeerplaneError('malformed', `${name} is neither true nor false`)
  }
  return value
}
