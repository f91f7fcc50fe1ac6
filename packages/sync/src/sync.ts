import type { PeerplaneError } from '@peerplane/core'

import { createExchange, type Exchange, type Part } from './exchange.ts'
import type { Sync, SyncOptions, SyncStatus } from './types.ts'

/** Changes come in bursts; people read slower. */
const STATUS_EVERY_MS = 100

/** Sync of one space over one network. */
export function createSync(options: SyncOptions): Sync {
  const { network, scheduler } = options
  const callbacks = new Set<(status: SyncStatus) => void>()
  let exchange: Exchange | undefined
  /** The latest failure of each part that has not worked since, the latest of all at the end. */
  const failures = new Map<Part, SyncStatus['lastError']>()
  let telling = false

  const status = (): SyncStatus => ({
    peers: exchange?.peers() ?? [],
    network: network.status(),
    lastError: [...failures.values()].at(-1),
  })

  function changed(): void {
    if (telling || callbacks.size === 0) return
    telling = true
    scheduler.after(STATUS_EVERY_MS, () => {
      telling = false
      const current = status()
      for (const callback of callbacks) callback(current)
    })
  }

  function failed(part: Part, { code, message }: PeerplaneError): void {
    failures.delete(part)
    failures.set(part, { code, message })
    changed()
  }

  function worked(part: Part): void {
    if (failures.delete(part)) changed()
  }

  return {
    async start() {
      if (exchange) return
      failures.clear()
      const started = createExchange(options, { changed, failed, worked })
      exchange = started
      try {
        await network.start(started.handler)
      } catch (error) {
        started.stop()
        if (exchange === started) exchange = undefined
        throw error
      } finally {
        changed()
      }
    },
    async stop() {
      exchange?.stop()
      exchange = undefined
      await network.stop()
      changed()
    },
    status,
    onStatus(callback) {
      callbacks.add(callback)
      return () => callbacks.delete(callback)
    },
    announceNow: () => exchange?.announce(),
  }
}
