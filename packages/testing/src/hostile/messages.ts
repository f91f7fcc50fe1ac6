import {
  decodeBatch,
  decodeCanonical,
  decodeOpening,
  encodeCanonical,
  fromHex,
  lastSeq,
  mac,
  readTip,
  tipToValue,
  toHex,
  type BatchId,
  type DeviceId,
  type OpeningEvidence,
  type Run,
  type SessionId,
  type Tip,
  type Value,
} from '@peerplane/core'

/*
 * Messages as the protocol writes them down. They are written here by hand, because the product would not make the hostile ones.
 */

/** A summary of everything that claims so much, with a digest. */
export const summaryFrame = (sessions: number, commits: number, digest: Uint8Array): Uint8Array =>
  encodeCanonical([1, [['', sessions, commits, digest]], true])

export const haveFrame = (tips: readonly Tip[], asks: readonly string[] = []): Uint8Array =>
  encodeCanonical([2, tips.map(tipToValue), asks])

export const runsFrame = (runs: readonly Run[]): Uint8Array =>
  encodeCanonical([4, runs.map(runToValue)])

/** Asks for all tips, from a place on. */
export const listFrame = (after: number): Uint8Array => encodeCanonical([7, '', after])

export const wantFrame = (ranges: readonly (readonly [SessionId, number, number])[]): Uint8Array =>
  encodeCanonical([3, ranges.map(([session, from, to]) => [fromHex(session), from, to])])

export const pageFrame = (path: string, tips: readonly Tip[], next: number): Uint8Array =>
  encodeCanonical([8, path, tips.map(tipToValue), next])

/** A gossiped announcement. */
export function announcementOf(
  commits: number,
  digest: Uint8Array,
  tips: readonly Tip[],
  secret: Uint8Array,
): Uint8Array {
  const content = [commits, digest, tips.map(tipToValue)]
  return encodeCanonical([content, mac(secret, 'announcement', encodeCanonical(content))])
}

function runToValue({ session, from, opening, batches, fork }: Run): Value {
  const evidence = opening ? [opening.bytes, opening.chain] : null
  return [fromHex(session), from, evidence, batches, ...(fork ? [fork] : [])]
}

/** What a hostile member listens for in the messages of honest devices. */
export type Overheard =
  | { readonly kind: 'tips'; readonly tips: readonly Tip[]; readonly next: number }
  | { readonly kind: 'want'; readonly ranges: readonly (readonly [SessionId, number])[] }
  | { readonly kind: 'begun'; readonly begun: readonly ForeignSession[] }
  | { readonly kind: 'list'; readonly path: string; readonly after: number }

/** The beginning of a session of another device: enough to write in its name, but for the signature. */
export interface ForeignSession {
  readonly session: SessionId
  readonly device: DeviceId
  readonly admission: Uint8Array
  readonly evidence: OpeningEvidence
  /** Its first batch, and the seq of the commit after that. */
  readonly batch: BatchId
  readonly next: number
}

/** Reads a message of an honest device, if it is of use. */
export function hear(frame: Uint8Array): Overheard | undefined {
  const [kind, first, second, third] = decodeCanonical(frame) as readonly Value[]
  const list = first as readonly (readonly Value[])[]
  switch (kind) {
    case 2:
      return { kind: 'tips', tips: list.map((each) => readTip(each, 'tip')), next: 0 }
    case 8: {
      const tips = (second as readonly Value[]).map((each) => readTip(each, 'tip'))
      return { kind: 'tips', tips, next: third as number }
    }
    case 3: {
      const ranges = list.map(
        ([session, from]) => [toHex(session as Uint8Array) as SessionId, from as number] as const,
      )
      return { kind: 'want', ranges }
    }
    case 4: {
      return { kind: 'begun', begun: list.flatMap(readForeign) }
    }
    case 7:
      return { kind: 'list', path: first as string, after: second as number }
    default:
      return undefined
  }
}

function readForeign([, , opening, batches]: readonly Value[]): ForeignSession[] {
  const [bytes, chain] = (opening ?? []) as readonly [Uint8Array?, Uint8Array[]?]
  const [encoded] = batches as readonly Uint8Array[]
  if (!bytes || !chain || !encoded) return []
  const { session, first, opening: fields } = decodeOpening(bytes)
  const batch = decodeBatch(encoded, session, first, 1)
  const { device, admission } = fields
  const next = lastSeq(batch) + 1
  return [{ session, device, admission, evidence: { bytes, chain }, batch: batch.id, next }]
}
