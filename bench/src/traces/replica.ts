import {
  admit,
  createSpace,
  entityKey,
  HybridClock,
  prefixOf,
  signGrant,
  toHex,
  type Admission,
  type Commit,
  type DeviceId,
  type SessionId,
  type SigningKey,
  type Space,
} from '@peerplane/core'
import {
  checkedStore,
  createMemoryStore,
  openEntities,
  openLog,
  spaceWrite,
  type Entities,
  type Log,
} from '@peerplane/crdt-store'
import { systemPlatform } from '@peerplane/runtime'

import type { TextKernel } from '../text-kernels.ts'
import type { Patch } from '../trace-recording.ts'

const platform = systemPlatform()
const key = entityKey('paper', 'trace')

/** Devices that are members of one space. */
export interface Members {
  readonly space: Space
  readonly devices: readonly { readonly key: SigningKey; readonly chain: readonly Admission[] }[]
}

export async function createMembers(count: number): Promise<Members> {
  const { crypto, random } = platform
  const founder = await crypto.keyFromSeed(random.bytes(32))
  const space = createSpace(toHex(founder.publicKey) as DeviceId, 'member', random)
  const devices: Members['devices'][number][] = [{ key: founder, chain: [] }]
  while (devices.length < count) {
    const inviteKey = await crypto.keyFromSeed(random.bytes(32))
    const device = await crypto.keyFromSeed(random.bytes(32))
    const fields = {
      space: space.record.id,
      inviteKey: inviteKey.publicKey,
      role: 'member' as const,
      notAfter: 2e12,
    }
    const grant = await signGrant(fields, founder)
    const admission = await admit(grant, toHex(device.publicKey) as DeviceId, inviteKey)
    devices.push({ key: device, chain: [admission] })
  }
  return { space, devices }
}

/** A log and the text folded from it, in memory. It gets only the commits that it is given, so it sees exactly what a recorded author saw. */
export class TextReplica {
  readonly log: Log
  readonly #entities: Entities
  readonly #kernel: TextKernel
  #session: SessionId | undefined
  #folding: Promise<unknown> = Promise.resolve()

  private constructor(log: Log, entities: Entities, kernel: TextKernel) {
    this.#kernel = kernel
    this.log = log
    this.#entities = entities
    log.onDelivered((commits) => this.#fold(commits))
  }

  static async open(members: Members, index: number, kernel: TextKernel): Promise<TextReplica> {
    const store = checkedStore(createMemoryStore())
    await store.write([spaceWrite(members.space.record.id)], 'local')
    const model = await kernel.open()
    const log = await openLog({
      store,
      space: members.space.record,
      ...members.devices[index]!,
      crypto: platform.crypto,
      random: platform.random,
      clock: new HybridClock(platform.clock),
    })
    const declared = {
      signature: 'text',
      lifecycle: kernel.lifecycle,
      load: () => Promise.resolve(model),
    }
    const entities = await openEntities({
      store,
      models: new Map([['paper', declared]]),
      scheduler: platform.scheduler,
      settled: () => log.settled(),
      deviceOf: (session) => log.deviceOf(session),
      lineageOf: (session) => log.lineageOf(session),
      isUnderstood: (session) => log.isUnderstood(session),
      onVoid: () => {
        throw new Error('a commit of an honest author is void')
      },
    })
    return new TextReplica(log, entities, kernel)
  }

  /** The only session of this replica, once it has written. */
  get session(): SessionId {
    return this.#session!
  }

  /** Makes one commit of splices, and waits until it can be passed on. Returns its number. */
  async write(patches: readonly Patch[]): Promise<number> {
    await this.#folding
    const state = await this.#entities.open(key)
    const origin = this.log.next()
    this.#session = origin.session
    const draft = state.begin(origin)
    for (const patch of patches) this.#kernel.splice(draft.handle as object, patch)
    const body = draft.finish()
    if (!body) return origin.seq - 1
    const { id, durable } = this.log.commit(
      origin,
      [{ entity: key, modelVersion: this.#entities.modelVersion(key), body }],
      { durability: 'local' },
    )
    this.#entities.touch(key, { origin, prefix: prefixOf(id), bytes: body })
    this.#entities.commitFolded(origin.session, origin.seq)
    await durable
    return origin.seq
  }

  /** Gets the commits of an author up to a number. */
  async receive(from: TextReplica, until: number): Promise<void> {
    for (;;) {
      const next = (this.log.stored().get(from.session)?.seq ?? 0) + 1
      if (next > until) return
      // One batch at a time: the batches of an author have one commit each.
      await this.log.admit((await from.log.range(from.session, next, 1))!)
    }
  }

  async text(): Promise<string> {
    await this.#folding
    const state = await this.#entities.open(key)
    return this.#kernel.textOf(state)
  }

  async close(): Promise<void> {
    await this.#folding
    await this.#entities.close()
    await this.log.close()
  }

  #fold(commits: readonly Commit[]): void {
    this.#folding = this.#folding.then(() => this.#entities.fold(commits))
  }
}
