import { PeerplaneError, type Random } from '@peerplane/core'

/** How long to wait between attempts. */
export interface Backoff {
  readonly firstMs: number
  readonly maxMs: number
}

/** The pause after `failures` failed attempts in a row: doubling up to a ceiling, half of it random so that peers do not come in step. */
export function backoffMs({ firstMs, maxMs }: Backoff, failures: number, random: Random): number {
  const ceiling = Math.min(maxMs, firstMs * 2 ** Math.min(failures, 30))
  const fraction = (random.bytes(1)[0] ?? 0) / 255
  return Math.round((ceiling * (1 + fraction)) / 2)
}

/** Until one of two devices that cannot speak with each other has been updated. */
export const UPDATE_RETRY: Backoff = { firstMs: 60_000, maxMs: 600_000 }

/** Whether a peer that was dialled, or this device, has to be updated first. */
export const needsUpdate = (error: unknown): boolean =>
  error instanceof PeerplaneError && error.code === 'needs-update'
