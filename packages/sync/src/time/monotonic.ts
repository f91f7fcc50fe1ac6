import type { Clock } from '@peerplane/core'

/** Milliseconds that never go back, though the wall clock may. */
export function monotonic(clock: Clock): () => number {
  let last = clock.now()
  let offset = 0
  return () => {
    const wall = clock.now()
    if (wall + offset < last) offset = last - wall
    last = wall + offset
    return last
  }
}
