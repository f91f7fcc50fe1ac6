import { splitEntityKey } from '@peerplane/core'
import type { Entity, EntityKey, HybridClock, Services } from '@peerplane/core'
import {
  openEntities,
  openLog,
  type ClearableStore,
  type Entities,
  type Log,
} from '@peerplane/crdt-store'

import { Folding, refoldStored } from './folding.ts'
import type { Membership } from '../membership/membership.ts'
import { modelsOf, needsCauses } from './models.ts'
import type { Ports } from '../ports.ts'

/** The part of a space that this device holds: its log, and the states folded from it. */
export interface HeldSpace {
  readonly log: Log
  /** Reading them rejects with `store-corrupt` if rows are damaged, which are rebuilt then; see {@link HeldSpace.read}. */
  readonly entities: Entities
  /** Resolves when everything delivered so far is folded. */
  readonly folded: () => Promise<void>
  /**
   * Resolves when commands on these entities may be decided: everything delivered so far is folded, and none of them builds on what no longer
   * counts, where that would keep it from having an effect. Rejects with a code of the store.
   */
  readonly ready: (keys: readonly EntityKey[]) => Promise<void>
  /** Commits without effect that were met since the opening. */
  voids(): number
  /**
   * How often states had to be rebuilt: commits of this device were lost, those of other devices no longer count, or rows were damaged. States
   * that were opened before may be wrong.
   */
  losses(): number
  /**
   * Runs `task` when everything delivered is folded; no commit of another device is folded meanwhile. If it fails while states have to be rebuilt, it
   * runs again after that. Rejects as `task` does, or when folding fails.
   */
  atRest<T>(task: () => Promise<T>): Promise<T>
  /** What `read` gives of states, none of which had to be rebuilt meanwhile. Rejects as `read` does. Not to be called in `atRest`. */
  read<T>(read: () => Promise<T>): Promise<T>
}

/** The events that the holder of a space gets. */
export interface HeldSpaceEvents {
  /** States changed through commits of other devices. */
  changed(keys: readonly EntityKey[]): void
  /** States had to be rebuilt, and are back to what the log holds. */
  reset(): void
  failed(error: unknown): void
  /** Everything is folded, and the states are about to be closed. */
  closing(): void
}

/** Opens log and states, and keeps folding what the log delivers, until `services` stop. */
export async function holdSpace(
  services: Services,
  ports: Ports & { readonly store: ClearableStore },
  declared: readonly Entity[],
  membership: Membership,
  clock: HybridClock,
  events: HeldSpaceEvents,
): Promise<HeldSpace> {
  const { store, key, crypto, random, scheduler, perturb, trace } = ports
  const { space, chain } = membership
  let voids = 0
  const causal = new Set(declared.filter(needsCauses).map(({ type }) => type))
  const log = await services.start(
    'log',
    () =>
      openLog({ store, space: space.record, key, chain, crypto, random, perturb, trace, clock }),
    (opened) => opened.close(),
  )
  const entities = await services.start(
    'states',
    () =>
      openEntities({
        store,
        models: modelsOf(declared),
        scheduler,
        perturb,
        trace,
        settled: () => log.settled(),
        deviceOf: (session) => log.deviceOf(session),
        lineageOf: (session) => log.lineageOf(session),
        isUnderstood: (session) => log.isUnderstood(session),
        onVoid: () => {
          voids++
        },
      }),
    (opened) => opened.close(),
  )
  await refoldStored(log, entities, trace)
  services.add('watches', { stop: () => events.closing() })
  const isCausal = (key: EntityKey): boolean => causal.has(splitEntityKey(key).type)
  const folding = new Folding({
    log,
    entities,
    scheduler,
    perturb,
    trace,
    needsCauses: isCausal,
    events,
  })
  services.add('folding', folding)
  await folding.takeBack()
  // The last write may fail too: then states have to be given up before rows are made of them.
  services.add('writes', { stop: () => log.idle() })
  return {
    log,
    entities: guarded(entities, folding),
    folded: () => folding.folded(),
    ready: async (keys) => {
      await folding.refolded(keys.filter(isCausal))
    },
    voids: () => voids,
    losses: () => folding.losses,
    atRest: (task) => folding.atRest(task),
    read: (read) => folding.read(read),
  }
}

const guarded = (entities: Entities, folding: Folding): Entities => ({
  get absent() {
    return entities.absent
  },
  folded: () => entities.folded(),
  open: (key) => folding.guarded(() => entities.open(key)),
  openAll: (keys) => folding.guarded(() => entities.openAll(keys)),
  workOff: (keys, goesOn) => entities.workOff(keys, goesOn),
  modelVersion: (key) => entities.modelVersion(key),
  isIncomplete: (key) => entities.isIncomplete(key),
  changedMs: (key) => entities.changedMs(key),
  unchangedSince: (type, ms, page) =>
    folding.guarded(() => entities.unchangedSince(type, ms, page)),
  pin: (key) => entities.pin(key),
  unpin: (key) => entities.unpin(key),
  fold: (commits) => entities.fold(commits),
  touch: (key, body) => entities.touch(key, body),
  commitFolded: (session, seq) => entities.commitFolded(session, seq),
  list: (type, query) => folding.guarded(() => entities.list(type, query)),
  flush: () => entities.flush(),
  refold: (keys) => entities.refold(keys),
  retreat: (session, seq) => entities.retreat(session, seq),
  discard: (options) => entities.discard(options),
  close: () => entities.close(),
})
