import type { Random } from '@peerplane/core'

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
