import {
  PeerplaneError,
  Rejected,
  type CommitId,
  type DeviceId,
  type SpaceId,
} from '@peerplane/core'
import type { LocalBackend, Outcome, PlaneStatus } from '@peerplane/runtime'

import type { Leadership } from './leader-side.ts'
import type { Tab } from './tab.fixture.test.ts'

/** Counters that outlive the tabs that opened them, and a record of those tabs. */
export interface Disk {
  readonly values: Map<string, number>
  readonly outcomes: Map<string, Outcome>
  readonly openedOnline: (boolean | undefined)[]
  readonly failures: PeerplaneError[]
  opened: number
  nowOpen: Set<Tab>
  mostOpened: number
  watchers: number
  latency: () => number
  beforeAnswer: () => void | Promise<void>
}

/** An empty disk. */
export const createDisk = (): Disk => ({
  values: new Map(),
  outcomes: new Map(),
  openedOnline: [],
  failures: [],
  opened: 0,
  nowOpen: new Set(),
  mostOpened: 0,
  watchers: 0,
  latency: () => 0,
  beforeAnswer: () => {},
})

const turns = async (count: number): Promise<void> => {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setTimeout(resolve))
}

const status: PlaneStatus = {
  space: 'space' as SpaceId,
  device: 'device' as DeviceId,
  membership: 'founded',
  storage: 'ok',
  commits: 0,
  lost: 0,
  waiting: 0,
  contradicted: 0,
  unreadable: 0,
  void: 0,
  forks: 0,
  pendingCommands: 0,
  undone: 0,
  deleted: 0,
  online: true,
  peers: [],
  network: undefined,
  addresses: [],
  lastError: undefined,
  clockDoubt: undefined,
}

/** What a shelf says of entities that are no shelves. */
export const unknownType = new PeerplaneError('unknown-entity', 'only shelves are known')

/** A backend of counters that are durable before their command is answered; the effect shows when it is durable. */
export async function openShelf(
  disk: Disk,
  tab: Tab,
  online: boolean | undefined,
): Promise<Leadership> {
  const failure = disk.failures.shift()
  if (failure) throw failure
  const listeners = new Set<() => void>()
  let wanted = online ?? true
  disk.opened += 1
  disk.openedOnline.push(online)
  disk.nowOpen = new Set([...disk.nowOpen, tab].filter((each) => each.alive()))
  disk.mostOpened = Math.max(disk.mostOpened, disk.nowOpen.size)
  const tell = (): void => {
    for (const listener of listeners) listener()
  }
  const listen = (listener: () => void): (() => void) => {
    let told = false
    const once = (): void => {
      told = true
      listener()
    }
    listeners.add(once)
    queueMicrotask(() => {
      if (listeners.has(once) && !told) once()
    })
    return () => {
      listeners.delete(once)
    }
  }
  const rows = (): { id: string; state: number }[] =>
    [...disk.values].sort(([a], [b]) => (a < b ? -1 : 1)).map(([id, state]) => ({ id, state }))
  const check = (type: string): void => {
    if (type !== 'shelf') throw unknownType
  }
  const running = new Set<Promise<Outcome>>()
  const invoke: LocalBackend['invoke'] = async ([invocation], { operationId = '' }) => {
    const known = disk.outcomes.get(operationId)
    if (known) return known
    const { id, input } = invocation!
    const by = input as number
    if (by < 0) throw new Rejected('not-below-zero', `a shelf cannot hold ${by}`)
    await turns(disk.latency())
    // A dead tab writes nothing.
    if (!tab.alive()) return new Promise(() => {})
    if (!disk.nowOpen.has(tab)) throw new PeerplaneError('closed', 'the shelf was closed')
    const value = (disk.values.get(id) ?? 0) + by
    disk.values.set(id, value)
    const commit = `commit ${disk.outcomes.size + 1}` as CommitId
    const outcome: Outcome = { commit, durability: 'synced', replies: [value] }
    disk.outcomes.set(operationId || commit, outcome)
    tell()
    const { beforeAnswer } = disk
    disk.beforeAnswer = () => {}
    await beforeAnswer()
    await turns(disk.latency())
    return outcome
  }
  const backend: LocalBackend = {
    settled: () => Promise.resolve(),
    outcome: async (operationId) => disk.outcomes.get(operationId),
    invoke: async (invocations, options) => {
      const answer = invoke(invocations, options)
      running.add(answer)
      return answer.finally(() => running.delete(answer))
    },
    watchEntity: (type, id, listener) => {
      check(type)
      disk.watchers += 1
      const stop = listen(() =>
        listener({
          phase: 'ready',
          state: disk.values.get(id) ?? 0,
          version: '',
          pending: 0,
          incomplete: false,
          conflict: false,
          size: { bytes: 0, ops: 0, mostBytes: undefined, mostOps: undefined },
        }),
      )
      return () => {
        disk.watchers -= 1
        stop()
      }
    },
    watchType: (type, _query, listener) => {
      check(type)
      return listen(() => listener(rows()))
    },
    list: async (type) => {
      check(type)
      return rows()
    },
    watchStatus: (listener) => listen(() => listener({ ...status, online: wanted })),
    invite: async ({ hours = 24 }) => `invitation for ${hours} hours`,
    invited: async () => true,
    setOnline: async (next) => {
      wanted = next
      tell()
    },
    hasten: () => undefined,
    close: async () => {
      await Promise.allSettled(running)
      disk.nowOpen.delete(tab)
      listeners.clear()
    },
  }
  return { backend, term: disk.opened }
}
