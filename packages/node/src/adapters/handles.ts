import { limits } from '@peerplane/core'

/** How many there may be at once. */
export interface HandleShares {
  /** Connections of members. */
  readonly seats: number
  /** Connections that have not proved membership. */
  readonly pending: number
  /** Sockets of the page server. */
  readonly pages: number
}

/**
 * Divides the file handles that this process may open: each kind gets what its limit says, or less in proportion when the system allows fewer.
 * Some are spared, so that nobody from outside can take the last one from the store.
 */
export function shareHandles(handles: number = allowedHandles()): HandleShares {
  const { connections, pendingConnections, httpSockets, spareHandles } = limits
  // Each of the two ports has its own sockets for those who come and go.
  const wanted = 2 * (connections + 3 * pendingConnections) + httpSockets
  const part = Math.max(0, Math.min(1, (handles - spareHandles) / wanted))
  const share = (limit: number): number => Math.max(4, Math.floor(limit * part))
  return {
    seats: share(connections),
    pending: share(pendingConnections),
    pages: share(httpSockets),
  }
}

/** As the system says; many where it does not say. */
function allowedHandles(): number {
  // It would look up the names of all peers.
  Object.assign(process.report, { excludeNetwork: true })
  const { userLimits } = process.report.getReport() as {
    readonly userLimits?: { readonly open_files?: { readonly soft?: unknown } }
  }
  const soft = userLimits?.open_files?.soft
  return typeof soft === 'number' ? soft : Infinity
}
