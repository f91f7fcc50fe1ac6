import {
  PeerplaneError,
  type Commit,
  type Entity,
  type EntityKey,
  type Frontier,
  type HybridClock,
  type SessionId,
} from '@peerplane/core'
import { openEntities, openLog, type Entities, type Log } from '@peerplane/crdt-store'

import type { Membership } from './membership.ts'
import { modelsOf } from './models.ts'
import type { Ports } from './ports.ts'

/** The part of a space that this device holds: its log, and the states folded from it. */
export interface HeldSpace {
  readonly log: Log
  readonly entities: Entities
  /** Resolves when everything delivered so far is folded. */
  readonly folded: () => Promise<void>
  /** Commits without effect that were met since the opening. */
  voids(): number
  /** How often own commits were lost, or foreign ones ceased to count. States that were opened before show commits that do not exist. */
  losses(): number
  /** Runs `task` when everything delivered is folded; nothing foreign is folded meanwhile. Rejects as `task` does, or when folding fails. */
  atRest<T>(task: () => Promise<T>): Promise<T>
  close(): Promise<void>
}

/** What the holder of a space is told. */
export interface HeldSpaceEvents {
  /** States changed through commits of other devices. */
  changed(keys: readonly EntityKey[]): void
  /** Own commits were lost before they were durable, or a session was forked: all states are back to what the log holds. */
  reset(): void
  failed(error: unknown): void
  /** Everything is folded, and the states are about to be closed. */
  closing(): void
}

/** From a failure of folding to the next attempt, if nothing else gives reason for one. */
const RETRY_MS = 1_000

/** Opens log and states, and keeps folding what the log delivers. */
export async function holdSpace(
  ports: Ports,
  declared: readonly Entity[],
  membership: Membership,
  clock: HybridClock,
  events: HeldSpaceEvents,
): Promise<HeldSpace> {
  const { store, key, crypto, random, scheduler, perturb } = ports
  const models = modelsOf(declared)
  const { space, chain } = membership
  const log = await openLog({
    store,
    space: space.record,
    key,
    chain,
    crypto,
    random,
    perturb,
    clock,
  })
  const settled = (): Promise<void> => log.settled()
  let voids = 0
  const onVoid = (): void => {
    voids++
  }
  const entities = await openEntities({ store, models, scheduler, perturb, settled, onVoid })
  const folded = entities.folded()
  const counts = log.status().frozen.every(({ session, seq }) => (folded.get(session) ?? 0) < seq)
  // A fork was found, and then there was no time to begin again without it.
  if (!counts) await entities.discard({ rows: true })
  await refold()

  let folding: Promise<void> = Promise.resolve()
  let discarded: Promise<void> = Promise.resolve()
  /** Something that was delivered is not folded: it is taken from the log again. */
  let isBehind = false
  let losses = 0
  /** For perturbations: what was folded before the last time. */
  let earlier: readonly Commit[] = []
  let cancelRetry: (() => void) | undefined
  const enqueue = (task: () => Promise<void>): void => {
    folding = folding.then(task).catch((error: unknown) => {
      isBehind = true
      events.failed(error)
      cancelRetry?.()
      cancelRetry = scheduler.after(RETRY_MS, () => enqueue(catchUp))
    })
  }
  const catchUp = async (): Promise<void> => {
    if (!isBehind) return
    isBehind = false
    earlier = []
    await discarded
    await log.settled()
    await refold()
    events.reset()
  }

  const stopDelivered = log.onDelivered((commits) => {
    enqueue(async () => {
      if (isBehind) return catchUp()
      const changed = await entities.fold(commits)
      events.changed(changed)
      if (!perturb) return
      if (perturb('fold-again')) await entities.fold(earlier)
      earlier = commits
    })
  })
  const stopFailure = log.onFailure((error) => {
    events.failed(error)
    // At once: rows that wait for the lost commits must not be written, and the next own commit must not be forgotten with them.
    isBehind = true
    losses++
    discarded = entities.discard()
    // Whoever awaits it is told.
    discarded.catch(() => undefined)
    enqueue(catchUp)
  })

  const stopForked = log.onForked((session, seq) => {
    const where = `session ${session.slice(0, 8)} has two versions from commit ${seq} on`
    events.failed(new PeerplaneError('fork', where))
    isBehind = true
    losses++
    discarded = entities.discard({ rows: true })
    discarded.catch(() => undefined)
    enqueue(catchUp)
  })

  async function refold(): Promise<void> {
    for await (const commits of log.replay(placesOf(entities.folded())))
      await entities.fold(commits)
  }

  return {
    log,
    entities,
    folded: () => {
      if (isBehind) enqueue(catchUp)
      return folding
    },
    voids: () => voids,
    losses: () => losses,
    atRest: (task) =>
      new Promise((resolve, reject) => {
        enqueue(async () => {
          await catchUp().catch((error: unknown) => {
            reject(error)
            throw error
          })
          await task().then(resolve, reject)
        })
      }),
    close: async () => {
      // The last write may fail too: then states have to be given up before rows are made of them.
      await log.idle()
      stopDelivered()
      stopFailure()
      stopForked()
      await folding
      cancelRetry?.()
      events.closing()
      await entities.close()
      await log.close()
    },
  }
}

/** Seqs as a frontier; replaying does not look at marks. */
const placesOf = (folded: ReadonlyMap<SessionId, number>): Frontier =>
  new Map([...folded].map(([session, seq]) => [session, { session, seq, mark: '' }]))
