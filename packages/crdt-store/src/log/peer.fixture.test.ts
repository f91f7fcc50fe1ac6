import {
  admit,
  createSpace,
  decodeCanonical,
  encodeCanonical,
  entityKey,
  fromUtf8,
  HybridClock,
  PeerplaneError,
  signGrant,
  toHex,
} from '@peerplane/core'
import type {
  Admission,
  Commit,
  CommitId,
  DeviceId,
  Run,
  Section,
  SessionId,
  SigningKey,
  Space,
  Store,
  Value,
} from '@peerplane/core'
import { deterministicCrypto, ManualClock, seededRandom } from '@peerplane/core/testing'

import { createMemoryStore, type MemoryStore } from '../storage/memory-store.ts'
import type { Log } from './log.ts'
import { openLog } from './open-log.ts'
import { spaceWrite } from './restore.ts'

export const crypto = deterministicCrypto

/** A space and devices that are its members. */
export interface Members {
  readonly space: Space
  readonly devices: readonly { readonly key: SigningKey; readonly chain: readonly Admission[] }[]
}

/** A space with `count` devices; each was invited by the one before it. */
export async function members(count: number, seed = 1): Promise<Members> {
  const random = seededRandom(seed)
  const creator = await crypto.keyFromSeed(random.bytes(32))
  const space = createSpace(deviceOf(creator), 'member', random)
  const devices: { key: SigningKey; chain: readonly Admission[] }[] = [{ key: creator, chain: [] }]
  while (devices.length < count) {
    const { key: issuer, chain } = devices.at(-1)!
    const inviteKey = await crypto.keyFromSeed(random.bytes(32))
    const key = await crypto.keyFromSeed(random.bytes(32))
    const fields = {
      space: space.record.id,
      inviteKey: inviteKey.publicKey,
      role: 'member' as const,
      notAfter: 2e12,
    }
    const admission = await admit(await signGrant(fields, issuer), deviceOf(key), inviteKey)
    devices.push({ key, chain: [...chain, admission] })
  }
  return { space, devices }
}

export const deviceOf = (key: SigningKey): DeviceId => toHex(key.publicKey) as DeviceId

/** A log and what it has told. */
export interface Peer {
  readonly log: Log
  readonly store: MemoryStore
  /** Ids of the commits in the order in which they became visible here: replayed ones, then own and remote ones. */
  readonly seen: CommitId[]
  readonly commits: Map<CommitId, Commit>
}

export interface PeerOptions {
  readonly store?: MemoryStore
  readonly seed?: number
  readonly clockMs?: number
  /** What the log gets in place of the store: a store that misbehaves. */
  readonly through?: (store: Store) => Store
  /** What is used in place of the log: a log that misbehaves. */
  readonly instead?: (log: Log) => Log
}

/** Opens the log of device `index` of the space. */
export async function openPeer(
  { space, devices }: Members,
  index: number,
  {
    store = createMemoryStore(),
    seed = 0,
    clockMs = 1_700_000_000_000,
    through = (same) => same,
    instead = (same) => same,
  }: PeerOptions = {},
): Promise<Peer> {
  if (store.entries().length === 0) {
    await store.write([spaceWrite(space.record.id)], 'local')
  }
  const opened = await openLog({
    store: through(store),
    space: space.record,
    ...devices[index]!,
    crypto,
    random: seededRandom(1000 * (index + 1) + seed),
    clock: new HybridClock(new ManualClock(clockMs)),
  })
  const log = instead(opened)
  const seen: CommitId[] = []
  const commits = new Map<CommitId, Commit>()
  const see = (commit: Commit): void => {
    seen.push(commit.id)
    commits.set(commit.id, commit)
  }
  log.onDelivered((delivered) => delivered.forEach(see))
  for await (const chunk of log.replay(new Map())) chunk.forEach(see)
  log.watch((own) => own?.commits.forEach(see))
  return { log, store, seen, commits }
}

/** A section with `content` on one entity. */
export const section = (content: string): Section => ({
  entity: entityKey('note', 'n1'),
  modelVersion: 1,
  body: encodeCanonical(content),
})

/** Makes a commit and waits until it is durable. */
export async function write({ log }: Peer, content: string): Promise<CommitId> {
  const { id, durable } = log.commit(log.next(), [section(content)], { durability: 'synced' })
  await durable
  return id
}

/** Makes commits that become one batch. */
export async function writeMany({ log }: Peer, contents: readonly string[]): Promise<void> {
  const made = contents.map((content) =>
    log.commit(log.next(), [section(content)], { durability: 'synced' }),
  )
  await Promise.all(made.map(({ durable }) => durable))
}

/** The sessions of which `to` lacks something that `from` has delivered, and the first commit it lacks. */
export function lacking(from: Peer, to: Peer): { session: SessionId; next: number }[] {
  const held = to.log.stored()
  return [...from.log.delivered().values()]
    .map(({ session, seq }) => ({ session, seq, next: (held.get(session)?.seq ?? 0) + 1 }))
    .filter(({ seq, next }) => next <= seq)
}

/** The run of `from` that begins at the first commit of its only, or this, session. */
export async function runOf({ log }: Peer, session?: SessionId, from = 1): Promise<Run> {
  const id = session ?? [...log.stored().keys()][0]!
  return (await log.range(id, from, 1 << 20))!
}

/** Passes on everything that `to` lacks, session by session. */
export async function sync(from: Peer, to: Peer): Promise<void> {
  for (const { session, next } of lacking(from, to)) {
    for (let at = next; ; at = to.log.stored().get(session)!.seq + 1) {
      const run = await from.log.range(session, at, 4096)
      if (!run) break
      const { full } = await to.log.admit(run)
      if (run.fork || full) break
    }
  }
}

/**
 * As {@link sync}, for peers that may hold different versions of a session: the way sync does it, which asks for a session from its
 * beginning when what it gets does not fit.
 */
export async function syncForked(from: Peer, to: Peer): Promise<void> {
  for (const { session, seq, mark } of from.log.delivered().values()) {
    const held = to.log.stored().get(session)
    if (held && (held.seq > seq || (held.seq === seq && held.mark === mark))) continue
    const next = Math.min(seq, (held?.seq ?? 0) + 1)
    if (!(await pull(from, to, session, next))) await pull(from, to, session, 1)
  }
}

/** Whether all of it fitted. */
async function pull(from: Peer, to: Peer, session: SessionId, first: number): Promise<boolean> {
  for (let next = first; ;) {
    const run = await from.log.range(session, next, 300)
    if (!run) return true
    try {
      await to.log.admit(run)
    } catch (error) {
      if (error instanceof PeerplaneError && error.code === 'broken-chain') return false
      throw error
    }
    if (run.fork) return true
    next = run.batches.reduce((seq, batch) => seq + countOf(batch), run.from)
  }
}

const countOf = (batch: Uint8Array): number =>
  ((decodeCanonical(batch) as readonly Value[])[4] as readonly Value[]).length

/** The texts of the delivered sections, in the order of their delivery. */
export const contents = ({ seen, commits }: Peer): string[] =>
  seen.flatMap((id) => commits.get(id)!.sections.map(({ body }) => decodeText(body)))

// The texts of tests are shorter than 24 bytes: one byte of CBOR before them.
const decodeText = (body: Uint8Array): string => fromUtf8(body.subarray(1))
