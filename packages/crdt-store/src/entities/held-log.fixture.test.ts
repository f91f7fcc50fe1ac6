import {
  counter,
  decodeCanonical,
  encodeCanonical,
  fromHex,
  hash,
  map,
  record,
  register,
  prefixOf,
  toHex,
  utf8,
  type Body,
  type Commit,
  type CommitId,
  type DeviceId,
  type EntityKey,
  type Entry,
  type HandleOf,
  type Origin,
  type Scheduler,
  type Section,
  type SessionId,
  type Store,
  type Write,
} from '@peerplane/core'

import { nativeModel } from '../kernels/native-model.ts'
import { clearRange, type ClearableStore } from '../storage/checked-store.ts'
import { createMemoryStore, type MemoryStore } from '../storage/memory-store.ts'
import type { DeclaredModel, Entities } from './entities.ts'
import { shapeSignature } from './shape-signature.ts'

export const shape = record({ title: register(''), counts: map(counter()) })
export type Handle = HandleOf<typeof shape>

const model = nativeModel(shape)

/** `row` is folded as delivered, `page` when it is opened: the same kernels, so that both can be compared with the log. */
export const models: ReadonlyMap<string, DeclaredModel> = new Map([
  ['row', declared('folded-as-delivered')],
  ['page', declared('folded-when-opened')],
])

function declared(lifecycle: DeclaredModel['lifecycle']): DeclaredModel {
  return {
    signature: shapeSignature({ shape, lens: { kind: 'same' } }, 1, 1),
    lifecycle,
    load: () => Promise.resolve(model),
  }
}

/** A store that remembers the order of its writes, and fails from `failAfter` on. */
export interface RecordingStore extends ClearableStore {
  readonly writes: (readonly Write[])[]
  failAfter: number
}

export function recordingStore(content: readonly Entry[] = []): RecordingStore {
  const store = createMemoryStore(content)
  const writes: (readonly Write[])[] = []
  return {
    ...store,
    writes,
    failAfter: Infinity,
    async write(changes, durability) {
      await Promise.resolve()
      if (writes.length >= this.failAfter) throw new Error('the disk is gone')
      writes.push(changes)
      await store.write(changes, durability)
    },
    clear(range) {
      return clearRange(this, range)
    },
  }
}

/** What a disk holds that was cut off after these writes. */
export async function storeAfter(writes: readonly (readonly Write[])[]): Promise<MemoryStore> {
  const store = createMemoryStore()
  for (const changes of writes) await store.write(changes, 'synced')
  return store
}

/** Each session has a device of its own. */
export const deviceOf = (session: SessionId): DeviceId => `${session}${session}` as DeviceId
export const sessionId = (n: number): SessionId => n.toString(16).padStart(32, '0') as SessionId

/** Runs tasks when told to. */
export function manualScheduler(): Scheduler & { run(): void; readonly size: number } {
  const tasks = new Set<() => void>()
  return {
    after: (_, task) => {
      tasks.add(task)
      return () => tasks.delete(task)
    },
    run: () => {
      const due = [...tasks]
      tasks.clear()
      for (const task of due) task()
    },
    get size() {
      return tasks.size
    },
  }
}

/** A log as far as entities know it: commits that are appended in memory and become durable later. */
export class HeldLog {
  readonly store: Store
  #pending: Commit[] = []
  #count = 0

  constructor(store: Store) {
    this.store = store
  }

  append(commit: Commit): void {
    this.#pending.push(commit)
  }

  /** Makes everything durable that is appended now. */
  settle = async (): Promise<void> => {
    const commits = this.#pending
    this.#pending = []
    if (commits.length > 0) await this.write(commits)
  }

  async write(commits: readonly Commit[]): Promise<void> {
    const writes = commits.map((commit) => ({
      key: Uint8Array.of(0x10, this.#count >> 8, this.#count++ & 255),
      value: encode(commit),
    }))
    await this.store.write(writes, 'synced')
  }
}

/** All commits that a store holds, in the order in which they came. */
export async function heldCommits(store: Store): Promise<Commit[]> {
  const entries = await store.scan({ from: Uint8Array.of(0x10), to: Uint8Array.of(0x11) })
  return entries.map(({ value }) => decode(value))
}

/** Folds everything that `store` holds and the rows do not contain. */
export async function refold(entities: Entities, store: Store): Promise<void> {
  const folded = entities.folded()
  const commits = await heldCommits(store)
  await entities.fold(
    commits.filter(({ session, header }) => header.seq > (folded.get(session) ?? 0)),
  )
}

/** A commit with these sections; only what entities look at is there. */
export function commitOf(origin: Origin, sections: readonly Section[]): Commit {
  const header = { seq: origin.seq, time: origin.time }
  return { id: idOf(origin), session: origin.session, header, sections } as unknown as Commit
}

/** A body of that commit. */
export const bodyOf = (origin: Origin, bytes: Uint8Array): Body => ({
  origin,
  prefix: prefixOf(idOf(origin)),
  bytes,
})

const idOf = ({ session, seq }: Origin): CommitId =>
  toHex(hash('test-commit', fromHex(session), utf8(`${seq}`))) as CommitId

export const sectionOf = (entity: EntityKey, body: Uint8Array, modelVersion = 1): Section => ({
  entity,
  modelVersion,
  body,
})

/** Runs a command of session `n` as the runtime does. */
export async function runOwn(
  entities: Entities,
  log: HeldLog,
  origin: Origin,
  commands: readonly (readonly [EntityKey, (handle: Handle) => void])[],
): Promise<void> {
  const states = await entities.openAll(commands.map(([key]) => key))
  const bodies = commands.map(([key, command], i) => {
    const draft = states[i]!.begin(origin)
    command(draft.handle as Handle)
    return [key, draft.finish()!] as const
  })
  log.append(
    commitOf(
      origin,
      bodies.map(([key, body]) => sectionOf(key, body)),
    ),
  )
  for (const [key, body] of bodies) entities.touch(key, bodyOf(origin, body))
  entities.commitFolded(origin.session, origin.seq)
}

/** The body of a command on a state of its own. */
export async function remoteBody(
  origin: Origin,
  command: (handle: Handle) => void,
): Promise<Uint8Array> {
  const draft = (await model.open(undefined)).begin(origin)
  command(draft.handle as Handle)
  return draft.finish()!
}

const encode = ({ session, header: { seq, time }, sections }: Commit): Uint8Array =>
  encodeCanonical([
    fromHex(session),
    seq,
    time.ms,
    sections.map(({ entity, modelVersion, body }) => [entity, modelVersion, body]),
  ])

function decode(bytes: Uint8Array): Commit {
  const [session, seq, ms, sections] = decodeCanonical(bytes) as [
    Uint8Array,
    number,
    number,
    [EntityKey, number, Uint8Array][],
  ]
  const id = toHex(session) as SessionId
  const origin = { device: deviceOf(id), session: id, seq, time: { ms, counter: 0 } }
  return commitOf(
    origin,
    sections.map(([entity, modelVersion, body]) => sectionOf(entity, body, modelVersion)),
  )
}
