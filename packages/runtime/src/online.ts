import { asPeerplaneError, roleOf, type Network } from '@peerplane/core'
import type { Log } from '@peerplane/crdt-store'
import { createSync, type Sync } from '@peerplane/sync'

import type { Founding } from './membership/founding.ts'
import { topicOf, type KnownDevices } from './membership/membership.ts'
import type { Ports } from './ports.ts'
import type { StatusTeller } from './watching/status.ts'

/** The network of a plane, which an application turns on and off. */
export interface Online {
  /** Goes on or off line; resolves when no connection is left, or when the network has been started. Calls take effect in order. */
  set(wanted: boolean): Promise<void>
  wanted(): boolean
  sync(): Sync | undefined
  network(): Network | undefined
}

/** A plane that is offline at first. */
export function createOnline(
  ports: Ports,
  founding: Founding,
  known: KnownDevices,
  log: Log,
  status: StatusTeller,
): Online {
  const { trace } = ports
  let wanted = false
  let network: Network | undefined
  let sync: Sync | undefined
  let running: Promise<void> = Promise.resolve()

  const start = async (): Promise<void> => {
    // A space that does not exist has nobody to meet.
    if (!ports.network || !wanted || !founding.done()) return
    const { space, chain, addresses, device } = founding.membership()
    const own = new Set([device, ...chain.map((admission) => admission.device)])
    const anchor = roleOf(space.record, chain) === 'anchor'
    network ??= await ports.network({ topic: topicOf(space), dial: addresses, anchor })
    if (!sync) {
      sync = createSync({
        ...ports,
        network,
        replica: log,
        space,
        chain,
        isKnown: (other) => own.has(other) || known.has(other),
        remember: (devices) => void known.add(devices),
      })
      sync.onChange(() => status.changed())
    }
    await sync.start()
    const { localPeer: peer } = network
    trace?.('network.started', { peer, addresses: network.addresses().join(' ') })
    status.changed()
  }
  const stop = async (): Promise<void> => {
    const wasOn = network?.status().started ?? false
    await sync?.stop()
    if (wasOn) trace?.('network.stopped', {})
    status.changed()
  }

  return {
    set: (next) => {
      wanted = next
      running = running.then(next ? start : stop).catch((error: unknown) => {
        const failure = asPeerplaneError(error, 'unsupported')
        trace?.('network.failed', { code: failure.code, reason: failure.message })
        status.fail(failure)
      })
      return running
    },
    wanted: () => wanted,
    sync: () => sync,
    network: () => network,
  }
}
