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
 * Queues the inputs of the engine: each is handled to its end before the next one, also when an effect causes another input at once.
 *
 * The returned function queues an input and resolves when the effects of its input have been carried out. `own` is the batch of a `changed` input.
 */
export function createInputQueue(
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
        for (let next = queue.shift(); next; next = queue.shift()) next()
      } finally {
        running = false
      }
    })
}
