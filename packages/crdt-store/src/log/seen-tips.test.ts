import { concatBytes } from '@peerplane/core'
import type { Entry, SessionId, Store, StoreDurability, Witness } from '@peerplane/core'
import { describe, expect, test } from 'vitest'

import { tipKey } from '../storage/keys.ts'
import { createMemoryStore } from '../storage/memory-store.ts'
import { encodeTip } from '../storage/records.ts'
import { members, openPeer, write, type Peer } from './peer.fixture.test.ts'
import { SeenTips } from './seen-tips.ts'
import { Sessions } from './sessions.ts'

class MemoryWitness implements Witness {
  bytes: Uint8Array

  constructor(bytes: Uint8Array = new Uint8Array(0)) {
    this.bytes = bytes
  }

  async read(): Promise<Uint8Array> {
    return this.bytes
  }

  async add(more: Uint8Array): Promise<void> {
    this.bytes = concatBytes(this.bytes, more)
  }

  async replace(bytes: Uint8Array): Promise<void> {
    this.bytes = bytes
  }
}

const one = await members(1)

const openOn = (entries: readonly Entry[], witness: Witness, seed = 0): Promise<Peer> =>
  openPeer(one, 0, {
    store: createMemoryStore(entries),
    seed,
    through: (store): Store => ({ ...store, witness }),
  })

/** A store after each of its commits, and the witness of the last moment. */
async function written(): Promise<{ moments: Entry[][]; witness: MemoryWitness }> {
  const witness = new MemoryWitness()
  const moments: Entry[][] = []
  for (let session = 0; session < 2; session++) {
    const peer = await openOn(moments.at(-1) ?? [], witness, session)
    for (let i = 0; i < 4; i++) {
      if (i > 0 || session === 0) moments.push([...peer.store.entries()])
      await write(peer, `commit ${i}`)
    }
    await peer.log.close()
    moments.push([...peer.store.entries()])
  }
  return { moments, witness }
}

const lostIn = async (entries: readonly Entry[], witness: Uint8Array): Promise<number> => {
  const { log } = await openOn(entries, new MemoryWitness(witness), 9)
  const { lost } = log
  const held = log.stored()
  await log.close()
  return [...lost].reduce((sum, [id, seq]) => sum + seq - (held.get(id)?.seq ?? 0), 0)
}

describe('a witness', async () => {
  const { moments, witness } = await written()

  test('says which commits an earlier store lacks, and nothing of the last one', async () => {
    const lost = []
    for (const moment of moments) lost.push(await lostIn(moment, witness.bytes))
    expect(lost).toEqual([8, 7, 6, 5, 4, 3, 2, 1, 0])
  })

  test('that is damaged or truncated reports no more commits as lost than are lost', async () => {
    const damaged = Array.from({ length: witness.bytes.length }, (_, at) => {
      const bytes = witness.bytes.slice()
      bytes[at]! ^= 1 << (at % 8)
      return [bytes, witness.bytes.slice(0, at)]
    }).flat()
    for (const bytes of damaged.filter((_, i) => i % 7 === 0)) {
      expect(await lostIn(moments.at(-1)!, bytes)).toBe(0)
      expect(await lostIn(moments[5]!, bytes)).toBeLessThanOrEqual(3)
    }
  })

  test('of another space reports nothing', async () => {
    const other = await members(1, 2)
    const { log } = await openPeer(other, 0, {
      through: (store): Store => ({ ...store, witness: new MemoryWitness(witness.bytes) }),
    })
    expect(log.lost.size).toBe(0)
  })
})

/** What a witness misses, of a store that was written to in these steps and has kept only some of their tips. */
async function missed(
  steps: readonly (readonly [seq: number, durability: StoreDurability])[],
  kept: number,
): Promise<number> {
  const [file, { space }] = [new MemoryWitness(), one]
  const seen = await SeenTips.load({ witness: file }, space.record.id, undefined)
  const store = seen!.over(createMemoryStore())
  for (const [seq, durability] of steps) {
    await store.write([{ key: tipKey(SESSION), value: tipOf(seq) }], durability)
  }
  const sessions = new Sessions()
  sessions.add({
    id: SESSION,
    device: ''.padEnd(64, '0') as never,
    parents: [],
    start: undefined,
    isUnderstood: true,
    first: BATCH as never,
    stored: { seq: kept, batch: BATCH as never },
  })
  const again = await SeenTips.load({ witness: file }, space.record.id, undefined)
  return (again!.beyond(sessions).get(SESSION) ?? kept) - kept
}

const SESSION = ''.padEnd(32, '1') as SessionId
const BATCH = ''.padEnd(64, '2')
const tipOf = (seq: number): Uint8Array => encodeTip({ seq, batch: BATCH as never })

describe('what is noted', () => {
  test.each([
    ['what was synced', [[5, 'synced']], 2, 3],
    [
      'not what a power cut may take',
      [
        [2, 'synced'],
        [5, 'local'],
      ],
      2,
      0,
    ],
    [
      'what the next flush took along',
      [
        [5, 'local'],
        [6, 'synced'],
      ],
      2,
      4,
    ],
    [
      'not what was taken back, whether that is flushed or not',
      [
        [5, 'synced'],
        [2, 'local'],
      ],
      2,
      0,
    ],
  ] as const)('is %s', async (_, steps, kept, expected) => {
    expect(await missed(steps, kept)).toBe(expected)
  })

  test('stays small, whatever is written', async () => {
    const file = new MemoryWitness()
    const seen = await SeenTips.load({ witness: file }, one.space.record.id, undefined)
    const store = seen!.over(createMemoryStore())
    for (let i = 0; i < 6_000; i++) {
      const session = (i % 2_000).toString(16).padStart(32, '0') as SessionId
      await store.write([{ key: tipKey(session), value: tipOf(i + 1) }], 'synced')
    }
    expect(file.bytes.length).toBeLessThan(200_000)
    const again = await SeenTips.load({ witness: file }, one.space.record.id, undefined)
    expect(again!.beyond(new Sessions()).get((''.padEnd(29, '0') + '7cf') as SessionId)).toBe(6_000)
  })
})
