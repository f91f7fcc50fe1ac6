import {
  entityKey,
  limits,
  Rejected,
  type Clock,
  type Command,
  type Entity,
  type EntityKey,
  type Random,
  type Scheduler,
  type Service,
} from '@peerplane/core'

import type { HeldSpace } from '../space/held-space.ts'
import type { CheckedInvocation } from './decide.ts'

/** Devices look for expired entities about ten times in the time after which these expire. */
const LOOKS = 10
/** But at least so often. */
const LOOK_AT_LEAST_MS = 3_600_000

/** What looking for expired entities works with. */
export interface ExpiryOptions {
  readonly declared: readonly Entity[]
  readonly space: HeldSpace
  readonly clock: Clock
  readonly random: Random
  readonly scheduler: Scheduler
  /** Whether something speaks against the clock of this device. Then nothing expires. */
  readonly doubtsClock: () => boolean
  /** Runs commands as one commit. */
  readonly run: (invocations: readonly CheckedInvocation[]) => Promise<unknown>
}

/**
 * Deletes entities that nobody has changed for the time after which their type expires. The deletion is an ordinary commit that names what this
 * device has seen, so devices need not agree on the time: a change that the device has not seen keeps the entity, whatever wins otherwise.
 */
export function startExpiry(options: ExpiryOptions): Service {
  const stops = options.declared.flatMap((entity) =>
    entity.expiresAfterMs === undefined ? [] : [look(options, entity.type, entity.expiresAfterMs)],
  )
  return {
    async stop() {
      await Promise.all(stops.map((stop) => stop()))
    },
  }
}

/** Looks for expired entities of a type again and again, until the returned function is called. */
function look(options: ExpiryOptions, type: string, afterMs: number): () => Promise<void> {
  const everyMs = Math.min(afterMs / LOOKS, LOOK_AT_LEAST_MS)
  let running: Promise<void> = Promise.resolve()
  let isStopped = false
  let cancel: (() => void) | undefined
  const next = (): void => {
    // At times of its own, so that devices rarely delete the same entity at once.
    const luck = options.random.bytes(1)[0]! / 256
    cancel = options.scheduler.after(Math.round(everyMs * (0.5 + luck)), () => {
      running = deleteExpired(options, { type, afterMs, isStopped: () => isStopped }).then(() => {
        if (!isStopped) next()
      })
    })
  }
  next()
  return () => {
    isStopped = true
    cancel?.()
    return running
  }
}

interface Expiring {
  readonly type: string
  readonly afterMs: number
  readonly isStopped: () => boolean
}

async function deleteExpired(options: ExpiryOptions, expiring: Expiring): Promise<void> {
  const { space, clock, run } = options
  const { type, afterMs, isStopped } = expiring
  const dueMs = clock.now() - afterMs
  const most = limits.expiredPerCommit
  let after: string | undefined
  const attempt = async (ids: readonly string[]): Promise<boolean> => {
    try {
      await run(ids.map((id) => expire(space, entityKey(type, id), id, dueMs)))
      return true
    } catch {
      // Ignored: the store reports what it cannot write, and an entity that cannot be read is reported when it is opened. The next look tries again.
      return false
    }
  }
  while (!isStopped() && !options.doubtsClock()) {
    const page = { after, most }
    // Ignored: the store reports what it cannot read. The next look tries again.
    const ids = await space.entities.unchangedSince(type, dueMs, page).catch(() => [])
    if (ids.length === 0 || isStopped()) return
    // One that cannot be read must not keep the others.
    if (!(await attempt(ids))) for (const id of ids) if (!isStopped()) await attempt([id])
    after = ids.at(-1)
  }
}

/** Deletes an entity if it has still not been changed when the command is decided. */
function expire(space: HeldSpace, key: EntityKey, id: string, dueMs: number): CheckedInvocation {
  const handler: Command<unknown, unknown, unknown> = (_, __, context) => {
    if (!context.exists || space.entities.changedMs(key) >= dueMs) return
    try {
      context.delete()
    } catch (error) {
      // Ignored: its writer deletes it.
      if (!(error instanceof Rejected)) throw error
    }
  }
  return { key, id, handler, input: { value: undefined }, at: undefined, spares: true }
}
