import { join } from 'node:path'

import {
  encodeBatch,
  encodeCanonical,
  entityKey,
  fromHex,
  HybridClock,
  makeBatch,
  makeCommit,
  markOf,
  readInvitation,
  signBatch,
  makeOpening,
  toHex,
  type Batch,
  type BatchId,
  type Commit,
  type DeviceId,
  type Random,
  type Run,
  type SessionId,
  type SigningKey,
  type SpaceRecord,
  type Tip,
} from '@peerplane/core'
import { checkedStore, openLog } from '@peerplane/crdt-store'
import { open, openSqliteStore } from '@peerplane/node'
import { keyInStore, systemClock, systemPlatform } from '@peerplane/runtime'

import { Item, LOCAL } from './item.ts'

/** Commits that share a signature. */
const BATCH = 250

/**
 * Founds a space in `data`, and adds sessions of so many commits each, as many starts of one device leave them behind: each names the one
 * before, or none does.
 */
export async function fill(
  data: string,
  sizes: readonly number[],
  chained: boolean,
): Promise<void> {
  const plane = await open({ entities: [Item], data, listen: [LOCAL] })
  await plane.get(Item, 'first').rank(1)
  const invitation = await plane.invite()
  await plane.close()
  const platform = systemPlatform()
  const { space } = await readInvitation(invitation, platform)
  const store = await openSqliteStore({ path: join(data, 'default', 'store.db') })
  const { key } = await keyInStore(store, platform)
  const log = await openLog({
    ...platform,
    store: checkedStore(store),
    space: space.record,
    key,
    chain: [],
    clock: new HybridClock(systemClock),
  })
  const writer = { space: space.record, key, ...platform }
  const end = Date.now()
  let written = 0
  let before: Tip[] = []
  for (const count of sizes) {
    const { runs, tip } = await sessionOf(writer, count, before, end - 1_000_000 + written)
    for (const run of runs) await log.admit(run)
    before = chained ? [tip] : []
    written += count
  }
  await log.close()
  await store.close()
}

interface Writer {
  readonly space: SpaceRecord
  readonly key: SigningKey
  readonly random: Random
}

/** A session of `count` commits, a millisecond apart from `start` on, `batch` of them under each signature. */
export async function sessionOf(
  { space, key, random }: Writer,
  count: number,
  parents: readonly Tip[],
  start: number,
  size = BATCH,
): Promise<{ readonly runs: readonly Run[]; readonly tip: Tip }> {
  const device = toHex(key.publicKey) as DeviceId
  const fields = { space: space.id, device, parents, nonce: random.bytes(16) }
  const { session, first, bytes } = makeOpening({ ...fields, admission: fromHex(space.id) })
  const runs: Run[] = []
  let previous = first
  for (let from = 1; from <= count; from += size) {
    const last = Math.min(count, from + size - 1)
    const batch = await batchOf(key, { session, previous, from, last, start }, random.bytes(16))
    previous = batch.id
    const evidence = from === 1 ? { bytes, chain: [] } : undefined
    runs.push({ session, from, opening: evidence, batches: [encodeBatch(batch)] })
  }
  return { runs, tip: { session, seq: count, mark: markOf(previous) } }
}

interface Place {
  readonly session: SessionId
  readonly previous: BatchId
  readonly from: number
  readonly last: number
  readonly start: number
}

async function batchOf(
  key: SigningKey,
  { session, previous, from, last, start }: Place,
  seed: Uint8Array,
): Promise<Batch> {
  const commitAt = (seq: number): Commit => {
    const time = { ms: start + seq, counter: 0 }
    const header = { seq, deps: [], digest: new Uint8Array(0), time }
    const body = encodeCanonical([[], [['rank', [0, seq, []]]]])
    const entity = entityKey('item', `i${(start + seq) % 100}`)
    const section = { entity, modelVersion: 1, body }
    return makeCommit(session, header, [section], seed)
  }
  const rest = Array.from({ length: last - from }, (_, index) => commitAt(from + 1 + index))
  return signBatch(makeBatch(previous, [commitAt(from), ...rest], seed), key)
}
