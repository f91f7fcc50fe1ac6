import { join } from 'node:path'

import {
  encodeBatch,
  encodeCanonical,
  entityKey,
  firstPrevious,
  fromHex,
  HybridClock,
  makeBatch,
  makeCommit,
  markOf,
  readInvitation,
  signBatch,
  signOpening,
  toHex,
  type Crypto,
  type DeviceId,
  type Random,
  type Run,
  type SigningKey,
  type SpaceRecord,
  type Tip,
} from '@peerplane/core'
import { checkedStore, openLog } from '@peerplane/crdt-store'
import { open, openSqliteStore } from '@peerplane/node'
import { keyInStore, systemClock, systemPlatform } from '@peerplane/runtime'

import { Item, LOCAL } from './item.ts'

/** Founds a space in `data` and adds sessions of one commit each, as many starts of one device leave them behind. */
export async function fill(data: string, sessions: number, chained: boolean): Promise<void> {
  const plane = await open({ entities: [Item], data, listen: [LOCAL] })
  await plane.get(Item, 'first').rank(1)
  const invitation = await plane.invite()
  await plane.close()
  const platform = systemPlatform()
  const { space } = await readInvitation(invitation, platform)
  const store = await openSqliteStore({ path: join(data, 'default', 'store.db') })
  const { key } = await keyInStore(store, platform)
  const clock = new HybridClock(systemClock)
  const log = await openLog({
    ...platform,
    store: checkedStore(store),
    space: space.record,
    key,
    chain: [],
    clock,
  })
  const writer = { space: space.record, key, ...platform }
  let before: Tip[] = []
  for (let number = 0; number < sessions; number++) {
    const { run, tip } = await sessionOf(writer, number, before)
    await log.admit(run)
    before = chained ? [tip] : []
  }
  await log.close()
  await store.close()
}

interface Writer {
  readonly space: SpaceRecord
  readonly key: SigningKey
  readonly crypto: Crypto
  readonly random: Random
}

async function sessionOf(
  { space, key, random }: Writer,
  number: number,
  parents: readonly Tip[],
): Promise<{ readonly run: Run; readonly tip: Tip }> {
  const device = toHex(key.publicKey) as DeviceId
  const opening = { space: space.id, device, parents, nonce: random.bytes(16) }
  const signed = await signOpening({ ...opening, admission: fromHex(space.id) }, key)
  const seed = random.bytes(16)
  const header = {
    seq: 1,
    deps: [],
    digest: new Uint8Array(0),
    time: { ms: Date.now(), counter: number },
    admissions: [],
  }
  const body = encodeCanonical([[], [['rank', [0, number, []]]]])
  const section = { tag: new Uint8Array(0), entity: entityKey('item', `i${number % 100}`), body }
  const commit = makeCommit(signed.session, header, [{ ...section, modelVersion: 1 }], seed)
  const batch = await signBatch(makeBatch(firstPrevious(signed.session), [commit], seed), key)
  return {
    run: {
      session: signed.session,
      from: 1,
      opening: { bytes: signed.bytes, signature: signed.signature, chain: [] },
      batches: [encodeBatch(batch)],
    },
    tip: { session: signed.session, seq: 1, mark: markOf(batch.id) },
  }
}
