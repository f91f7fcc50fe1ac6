import type { Batch } from '@peerplane/core'

import { step } from '../engine/engine.ts'
import type { EngineState } from '../engine/state.ts'
import type { Effect, Input } from '../engine/types.ts'

/** An input without its time. */
export type Event = Input extends infer Each
  ? Each extends Input
    ? Omit<Each, 'now'>
    : never
  : never

/**
 * Takes the engine from input to input, one after the other: an effect that leads to another input at once does not interleave with the rest.
 *
 * The returned function resolves when the effects of its input have been carried out. `own` is the batch of a `changed` input.
 */
export function createTurns(
  state: EngineState,
  now: () => number,
  perform: (effect: Effect, own: Batch | undefined) => Promise<void> | undefined,
): (event: Event, own?: Batch) => Promise<void> {
  const queue: (() => void)[] = []
  let running = false

  return (event, own) =>
    new Promise((resolve, reject) => {
      queue.push(() => {
        const effects = step(state, { ...event, now: now() } as Input)
        const pending = effects.flatMap((effect) => perform(effect, own) ?? [])
        Promise.all(pending).then(() => resolve(), reject)
      })
      if (running) return
      running = true
      try {
        for (let turn = queue.shift(); turn; turn = queue.shift()) turn()
      } finally {
        running = false
      }
    })
}
