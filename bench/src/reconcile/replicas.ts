import { join } from 'node:path'

import {
  admit,
  createSpace,
  HybridClock,
  signGrant,
  toHex,
  type Admission,
  type DeviceId,
  type Run,
  type SigningKey,
  type Space,
} from '@peerplane/core'
import { checkedStore, openLog, type Log } from '@peerplane/crdt-store'
import { openSqliteStore } from '@peerplane/node'
import { systemClock, systemPlatform } from '@peerplane/runtime'

import { sessionOf } from '../sessions/fill.ts'

/** A device of the benchmark with its log, on a disk of its own. */
export interface Device {
  readonly space: Space
  readonly key: SigningKey
  readonly chain: readonly Admission[]
  readonly log: Log
  close(): Promise<void>
}

/** Two devices that hold the same sessions, and a run that continues one of them. */
export interface Twins {
  readonly author: Device
  readonly reader: Device
  readonly extra: Run
}

/** Fills the logs of two devices with so many sessions of so many commits, one session after the other. */
export async function makeTwins(
  folder: string,
  sessions: number,
  commitsEach: number,
): Promise<Twins> {
  const platform = systemPlatform()
  const key = await newKey()
  const space = createSpace(toHex(key.publicKey) as DeviceId, 'member', platform.random)
  const author = await openDevice(join(folder, 'author.db'), space, key, [])
  const other = await newKey()
  const chain = [await admissionOf(space, key, other)]
  const reader = await openDevice(join(folder, 'reader.db'), space, other, chain)
  const writer = { space: space.record, key, random: platform.random }
  const start = Date.now() - sessions * commitsEach - 1_000_000
  let extra: Run | undefined
  for (let i = 0; i < sessions; i++) {
    const isLonger = i === Math.floor(sessions / 2)
    const count = commitsEach + (isLonger ? 1 : 0)
    const { runs } = await sessionOf(writer, count, [], start + i * commitsEach, commitsEach)
    const [shared, rest] = runs as [Run, Run | undefined]
    extra ??= rest
    for (const { log } of [author, reader]) await log.admit(shared)
    if (i % 1_000 === 999) console.error(`${i + 1} of ${sessions} sessions are written`)
  }
  return { author, reader, extra: extra! }
}

const newKey = async (): Promise<SigningKey> => {
  const { crypto, random } = systemPlatform()
  return crypto.keyFromSeed(random.bytes(32))
}

async function admissionOf(space: Space, creator: SigningKey, key: SigningKey): Promise<Admission> {
  const inviteKey = await newKey()
  const grant = await signGrant(
    {
      space: space.record.id,
      inviteKey: inviteKey.publicKey,
      role: 'member',
      notAfter: Date.now() + 3_600_000,
    },
    creator,
  )
  return admit(grant, toHex(key.publicKey) as DeviceId, inviteKey)
}

async function openDevice(
  path: string,
  space: Space,
  key: SigningKey,
  chain: readonly Admission[],
): Promise<Device> {
  const store = await openSqliteStore({ path })
  const log = await openLog({
    ...systemPlatform(),
    store: checkedStore(store),
    space: space.record,
    key,
    chain,
    clock: new HybridClock(systemClock),
  })
  return {
    space,
    key,
    chain,
    log,
    async close() {
      await log.close()
      await store.close()
    },
  }
}
