import type { PeerplaneError } from '@peerplane/core'

import { Exchange, type Part } from './exchange/exchange.ts'
import type { Sync, SyncOptions, SyncStatus } from './types.ts'

/** Makes the service that syncs one space over one network. */
export function createSync(options: SyncOptions): Sync {
  const { network } = options
  const callbacks = new Set<() => void>()
  let exchange: Exchange | undefined
  /** For each part of sync (handshake, link or log), its latest failure, until this part succeeds again. The oldest failure comes first. */
  const failures = new Map<Part, SyncStatus['lastError']>()

  const status = (): SyncStatus => ({
    peers: exchange?.peers() ?? [],
    network: network.status(),
    lastError: [...failures.values()].at(-1),
  })

  function changed(): void {
    for (const callback of callbacks) callback()
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
      const started = new Exchange(options, { changed, failed, worked })
      exchange = started
      try {
        await network.start(started)
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
    onChange(callback) {
      callbacks.add(callback)
      return () => callbacks.delete(callback)
    },
  }
}
