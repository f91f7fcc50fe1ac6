import {
  fromHex,
  PREFIX_BYTES,
  SESSION_BYTES,
  toHex,
  type DeviceId,
  type Origin,
  type SessionId,
  type Value,
} from '@peerplane/core'

import { items, Void, whole } from './void.ts'

/** A commit as ops name it: its place, and what nobody knows before it exists. */
export class NamedCommit {
  readonly session: SessionId
  readonly seq: number
  #prefix: string
  #key: string | undefined

  constructor(session: SessionId, seq: number, prefix: string) {
    this.session = session
    this.seq = seq
    this.#prefix = prefix
  }

  /** As `prefixOf` the core gives it; empty while the commit is being made. */
  get prefix(): string {
    return this.#prefix
  }

  /** A text that stands for the commit. It is made once: a body can name a commit as often as it has bytes. */
  get key(): string {
    return (this.#key ??= `${this.seq}.${this.#prefix}.${this.session}`)
  }

  /** Gives the prefix of a commit that has now been made. */
  identify(prefix: string): void {
    this.#prefix = prefix
    this.#key = undefined
  }
}

/** Commits, and sessions, under the refs by which the ops of one body, or one snapshot, name them: small numbers in the order of the lists. */
export class CommitTable {
  readonly sessions: SessionId[]
  readonly commits: NamedCommit[]
  /** How far bodies of a session have been folded. */
  readonly seen: (session: SessionId) => number
  /** The origin of a body that grows. It names no commit that it {@link covers}. */
  readonly own: Origin | undefined
  /** The devices of a snapshot. */
  readonly devices: DeviceKey[]
  #deviceRefs: Map<DeviceKey, number> | undefined
  #sessionRefs: Map<SessionId, number> | undefined
  #refs: Map<string, number> | undefined

  constructor(
    seen: (session: SessionId) => number,
    {
      sessions = [],
      commits = [],
      devices = [],
      own,
    }: {
      sessions?: SessionId[]
      commits?: NamedCommit[]
      devices?: DeviceKey[]
      own?: Origin | undefined
    } = {},
  ) {
    this.seen = seen
    this.sessions = sessions
    this.commits = commits
    this.devices = devices
    this.own = own
  }

  /**
   * Whether a commit is one of the session that writes. What this session has written needs not be written again; what another session has written
   * does, because the device of that session can revoke it by a fork.
   */
  isOwn(commit: NamedCommit): boolean {
    return commit.session === this.own?.session
  }

  /** The commit of a ref. Throws `Void` when there is none. */
  commit(ref: Value | undefined): NamedCommit {
    const commit = typeof ref === 'number' ? this.commits[ref] : undefined
    if (!commit) throw new Void('an op names a commit that the body does not list')
    return commit
  }

  /** Gives the ref of a commit. */
  ref(commit: NamedCommit): number {
    this.#refs ??= new Map(this.commits.map((each, ref) => [each.key, ref]))
    return refIn(this.#refs, commit.key, this.commits, commit)
  }

  /** The session of a ref. Throws `Void` when there is none. */
  session(ref: Value | undefined): SessionId {
    const session = typeof ref === 'number' ? this.sessions[ref] : undefined
    if (session === undefined) throw new Void('a session that is not listed')
    return session
  }

  /** Gives the ref of a session. */
  sessionRef(session: SessionId): number {
    this.#sessionRefs ??= new Map(this.sessions.map((each, ref) => [each, ref]))
    return refIn(this.#sessionRefs, session, this.sessions, session)
  }

  /** The device of a ref. Throws `Void` when there is none. */
  device(ref: Value | undefined): DeviceKey {
    const device = typeof ref === 'number' ? this.devices[ref] : undefined
    if (device === undefined) throw new Void('a device that is not listed')
    return device
  }

  /** Gives the ref of a device. */
  deviceRef(device: DeviceKey): number {
    this.#deviceRefs ??= new Map(this.devices.map((each, ref) => [each, ref]))
    return refIn(this.#deviceRefs, device, this.devices, device)
  }
}

declare const keyed: unique symbol

/** The first 16 bytes of a device id, in hex: to make two devices that begin alike takes about 2^64 keys. */
export type DeviceKey = string & { readonly [keyed]: 'device' }

export const deviceKey = (device: DeviceId): DeviceKey =>
  device.slice(0, 2 * DEVICE_KEY_BYTES) as DeviceKey

const DEVICE_KEY_BYTES = 16

/**
 * Whether an op of `origin` supersedes the earlier op of a commit at its place without naming it: one of its own session, or of a session of
 * its device that its session comes after. These are always folded before it.
 */
export const covers = ({ session, lineage }: Origin, commit: NamedCommit): boolean =>
  commit.session === session || (lineage?.covers(commit.session, commit.seq) ?? false)

/** Order of commits that decides nothing: by session, then place in it. */
export function compareCommits(a: NamedCommit, b: NamedCommit): number {
  if (a.session !== b.session) return a.session < b.session ? -1 : 1
  if (a.seq !== b.seq) return a.seq - b.seq
  return a.prefix < b.prefix ? -1 : a.prefix > b.prefix ? 1 : 0
}

/** Commits as refs. A body names none that it covers. */
export const toRefs = (commits: readonly NamedCommit[], table: CommitTable): number[] => {
  const { own } = table
  const named = own ? commits.filter((commit) => !covers(own, commit)) : commits
  return named.map((commit) => table.ref(commit))
}

/** Inverse of {@link toRefs}. Throws `Void`. */
export const readRefs = (value: Value | undefined, table: CommitTable): NamedCommit[] =>
  items(value).map((ref) => table.commit(ref))

/*
 *   commits   [session, seq, prefix, …]   the session as 16 bytes where it is listed first, then its number among those, from 0
 */

/** The commits that a body lists, for the canonical encoding. */
export function commitsToValue(commits: readonly NamedCommit[]): Value[] {
  const table = new CommitTable(() => 0)
  return commits.flatMap((commit) => {
    const { session, seq } = commit
    const known = table.sessions.length
    const ref = table.sessionRef(session)
    return [ref < known ? ref : fromHex(session), seq, prefixToValue(commit)]
  })
}

/** Inverse of {@link commitsToValue}. Throws `Void`. */
export function readCommits(value: Value | undefined): NamedCommit[] {
  const sessions: SessionId[] = []
  const table = new CommitTable(() => 0, { sessions })
  return triples(value, (first, seq, prefix) => {
    if (first instanceof Uint8Array) sessions.push(readSession(first))
    const session = first instanceof Uint8Array ? sessions.at(-1)! : table.session(first)
    return new NamedCommit(session, whole(seq, 1), readPrefix(prefix))
  })
}

function prefixToValue({ prefix }: NamedCommit): Value {
  if (prefix === '') throw new Error('a commit is named before it is made')
  return fromHex(prefix)
}

function readPrefix(value: Value): string {
  if (value instanceof Uint8Array && value.length === PREFIX_BYTES) return toHex(value)
  throw new Void('not the beginning of a commit id')
}

/** The sessions, how far each was folded, the commits, and the devices of the table of a snapshot. */
export const tableToValues = (table: CommitTable): Value[] => {
  const commits = table.commits.flatMap((commit): Value[] => [
    table.sessionRef(commit.session),
    commit.seq,
    prefixToValue(commit),
  ])
  const devices = table.devices.map(fromHex)
  return [table.sessions.map(fromHex), table.sessions.map(table.seen), commits, devices]
}

/** Inverse of {@link tableToValues}. Throws `Void`. */
export function readTable([ids, numbers, commits, keys]: readonly Value[]): {
  readonly table: CommitTable
  readonly seen: Map<SessionId, number>
} {
  const sessions = items(ids).map(readSession)
  const seqs = items(numbers, sessions.length).map((seq) => whole(seq))
  const seen = new Map<SessionId, number>()
  sessions.forEach((session, i) => {
    if (seqs[i]! > 0) seen.set(session, seqs[i]!)
  })
  const devices = items(keys).map(readDevice)
  const table = new CommitTable((session) => seen.get(session) ?? 0, { sessions, devices })
  table.commits.push(
    ...triples(
      commits,
      (ref, seq, prefix) => new NamedCommit(table.session(ref), whole(seq, 1), readPrefix(prefix)),
    ),
  )
  return { table, seen }
}

function triples<T>(value: Value | undefined, read: (a: Value, b: Value, c: Value) => T): T[] {
  const list = items(value)
  if (list.length % 3 !== 0) throw new Void('a commit is listed with three items')
  return Array.from({ length: list.length / 3 }, (_, i) =>
    read(list[3 * i]!, list[3 * i + 1]!, list[3 * i + 2]!),
  )
}

function readSession(value: Value): SessionId {
  if (value instanceof Uint8Array && value.length === SESSION_BYTES)
    return toHex(value) as SessionId
  throw new Void('not a session id')
}

function readDevice(value: Value): DeviceKey {
  if (value instanceof Uint8Array && value.length === DEVICE_KEY_BYTES)
    return toHex(value) as DeviceKey
  throw new Void('not the beginning of a device id')
}

function refIn<Key, Item>(refs: Map<Key, number>, key: Key, list: Item[], item: Item): number {
  let ref = refs.get(key)
  if (ref === undefined) {
    ref = list.push(item) - 1
    refs.set(key, ref)
  }
  return ref
}
