import { expect, it, vi } from 'vitest'

import * as peerplane from './index.ts'
import { newPage, type Peerplane } from './page.fixture.test.ts'

/** Votes that the leading tab has stored before it hangs. */
const BEFORE = 1

async function openTally({ counter, entity, open }: Peerplane, space: string) {
  const Tally = entity('tally', {
    state: counter(),
    commands: { vote: (tally) => tally.increment() },
  })
  const plane = await open({ entities: [Tally], space, network: false })
  return { plane, tally: plane.get(Tally, 'lunch') }
}

it.concurrent.each([
  ['before it runs it', 'readonly', 'stays', 'runs'],
  ['before it runs it', 'readonly', 'goes', 'never runs'],
  ['when it has stored it', 'readwrite', 'stays', 'runs'],
  ['when it has stored it', 'readwrite', 'goes', 'runs'],
] as const)(
  'the outcome of a command is unknown while the leading tab hangs, and settled after the take-over: it hangs %s (%s), the calling tab %s, the command %s',
  async (_when, mode, caller, settled) => {
    const space = `hangs ${crypto.randomUUID()}`
    const url = new URL('./outcome.fixture.test.ts', import.meta.url)
    const worker = new Worker(url, { type: 'module' })
    const said: string[] = []
    const hasSaid = (word: string): Promise<void> =>
      vi.waitFor(() => expect(said).toContain(word), 40_000)
    worker.onmessage = ({ data }: MessageEvent<string>) => said.push(data)
    worker.onerror = ({ message }) => said.push(message)
    const { frame, loaded } = await newPage()
    try {
      await hasSaid('ready')
      worker.postMessage({ space, mode })
      await hasSaid('leads')
      const there = await openTally(loaded, space)
      const here = await openTally(peerplane, space)
      expect([there.plane.tabs().role, here.plane.tabs().role]).toEqual(['follower', 'follower'])
      expect(await here.tally.state()).toBe(BEFORE)

      const wait = { timeoutMs: 1_000 }
      const error: unknown = await there.tally.vote(undefined, wait).catch((why: unknown) => why)
      expect(error).toMatchObject({ code: 'unknown', operationId: expect.any(String) })
      await hasSaid('hangs')
      const operationId = (error as peerplane.PeerplaneError).operationId!
      if (caller === 'goes') frame.remove()
      const asked = caller === 'goes' ? here : there
      const outcome = await asked.plane.outcome(operationId)
      expect(outcome !== undefined).toBe(settled === 'runs')
      const votes = BEFORE + (outcome ? 1 : 0)
      expect(await here.tally.state()).toBe(votes)

      // What was said stays true.
      expect(await here.plane.outcome(operationId)).toEqual(outcome)
      const again = here.tally.vote(undefined, { operationId }).catch((why: unknown) => why)
      expect(await again).toMatchObject(
        outcome ? { commit: outcome.commit } : { code: 'withdrawn' },
      )
      expect(await here.tally.state()).toBe(votes)
      await here.plane.close()
      if (caller === 'stays') await there.plane.close()
    } finally {
      worker.terminate()
      frame.remove()
    }
  },
)
