import fc from 'fast-check'
import { expect, test } from 'vitest'

import { PeerplaneError } from './errors.ts'
import type { Trace } from './ports/trace.ts'
import { Services } from './services.ts'

/** A service that takes turns to start and to stop; either may fail. */
interface Part {
  readonly turns: number
  readonly startFails: boolean
  readonly stopFails: boolean
}

const turns = async (count: number): Promise<void> => {
  for (let i = 0; i < count; i++) await Promise.resolve()
}

/** What happens when these services start one after the other, and are stopped after `stopAfter` turns, or when all have started. */
async function run(parts: readonly Part[], stopAfter: number | undefined): Promise<Run> {
  const working: number[] = []
  const stopped: number[] = []
  const traced: string[] = []
  const trace: Trace = (name, fields) =>
    traced.push(`${name} ${(fields as { readonly service: string }).service}`)
  let opened = false
  let services: Services | undefined
  const opening = Services.open(trace, async (some) => {
    services = some
    for (const [i, { turns: count, startFails, stopFails }] of parts.entries()) {
      await some.start(
        `${i}`,
        async () => {
          await turns(count)
          if (startFails) throw new PeerplaneError('store-failed', `${i} does not start`)
          working.push(i)
          return i
        },
        async () => {
          await turns(count)
          expect(working.pop()).toBe(i)
          stopped.push(i)
          if (stopFails) throw new PeerplaneError('store-full', `${i} does not stop`)
        },
      )
    }
    opened = true
  })
  const outcome = opening.then(
    () => undefined,
    (error: unknown) => (error as PeerplaneError).code,
  )
  let stopping: Promise<void> | undefined
  if (stopAfter !== undefined) {
    await turns(stopAfter)
    stopping = services!.stop()
    // Ignored: looked at below.
    stopping.catch(() => undefined)
  }
  const failure = await outcome
  const wasOpen = opened
  stopping ??= services!.stop()
  const stopFailure = await stopping.then(
    () => undefined,
    (error: unknown) => (error as PeerplaneError).code,
  )
  expect(services!.stop()).toBe(stopping)
  return { working, stopped, traced, failure, stopFailure, wasOpen }
}

interface Run {
  /** Those that have started and not stopped. */
  readonly working: readonly number[]
  readonly stopped: readonly number[]
  readonly traced: readonly string[]
  readonly failure: string | undefined
  readonly stopFailure: string | undefined
  readonly wasOpen: boolean
}

const part = fc.record({
  turns: fc.nat(4),
  startFails: fc.boolean(),
  stopFails: fc.boolean(),
})

test('after a failure or a stop at any moment, each started service is stopped once, in reverse order', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(part, { maxLength: 5 }),
      fc.option(fc.nat(40), { nil: undefined }),
      async (parts, stopAfter) => {
        const { working, stopped, traced, failure, stopFailure, wasOpen } = await run(
          parts,
          stopAfter,
        )
        expect(working).toEqual([])
        const started = traced.filter((line) => line.startsWith('service.started'))
        expect(stopped).toEqual(started.map((_, i) => started.length - 1 - i))
        const failing = stopped.filter((i) => parts[i]!.stopFails)
        expect(traced.filter((line) => line.startsWith('service.failed'))).toEqual(
          failing.map((i) => `service.failed ${i}`),
        )
        expect(stopFailure).toBe(failing.length > 0 ? 'store-full' : undefined)
        const mayFail = parts[started.length]?.startFails ? ['store-failed', 'closed'] : ['closed']
        const isRight = wasOpen ? started.length === parts.length : mayFail.includes(failure!)
        expect(isRight).toBe(true)
      },
    ),
  )
})

test('nothing starts after the services were stopped', async () => {
  const services = new Services(undefined)
  await services.stop()
  let began = false
  const start = async (): Promise<void> => {
    began = true
  }
  await expect(services.start('late', start, () => undefined)).rejects.toMatchObject({
    code: 'closed',
  })
  expect(began).toBe(false)
})
