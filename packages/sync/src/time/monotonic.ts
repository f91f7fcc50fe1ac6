import type { Clock } from '@peerplane/core'

/** Returns a function that returns the time in milliseconds. The returned time never goes back, even if the wall clock does. */
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
