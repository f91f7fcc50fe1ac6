import {
  command,
  entity,
  record,
  register,
  type HandleOf,
  type RegisterHandle,
} from '@peerplane/core'
import fc from 'fast-check'
import { expect, test } from 'vitest'

import type { EntityClient } from '../plane/client.ts'
import type { OpenPlane } from './fixture.ts'

/** The order of calls is the order of decisions. */
export function orderContract(open: OpenPlane): void {
  test('commands on one entity are decided in the order of their calls, whatever their schemas, groups and operation ids', async () => {
    const plane = await open([Journal])
    let run = 0
    await fc.assert(
      fc.asyncProperty(fc.array(anyStep, { minLength: 2, maxLength: 10 }), async (steps) => {
        run++
        const clients = ids.map((id) => plane.get(Journal, `${run} ${id}`))
        const history = new History()
        const calls = steps.map((step, i) => {
          const operationId = step.operation === undefined ? undefined : `${run} ${step.operation}`
          const isRepeated = history.add(step, `${i}`)
          const call = plane.atomic(
            (on) => {
              for (const { id, name } of step.on) on(clients[id]!)[name](inputOf(step, `${i}`))
            },
            { operationId },
          )
          return call.then(
            ({ replies }) => ({ step, replies: isRepeated ? undefined : replies }),
            (error: unknown) => {
              expect(error).toMatchObject({ code: 'invalid-input' })
            },
          )
        })
        const outcomes = await Promise.all(calls)
        for (const [id, lines] of history.lines) {
          expect(await clients[id]!.state()).toEqual({ last: lines.at(-1) })
          const befores = outcomes.flatMap((outcome) => {
            const place = outcome ? outcome.step.on.findIndex((each) => each.id === id) : -1
            return place < 0 || !outcome?.replies ? [] : [outcome.replies[place]]
          })
          expect(befores).toEqual(['', ...lines.slice(0, -1)])
        }
      }),
      { numRuns: 40 },
    )
    await plane.close()
  })

  test('a plain command waits for a checked one that was called before it, and not for one on another entity', async () => {
    const plane = await open([Journal])
    const [a, b] = [plane.get(Journal, 'a'), plane.get(Journal, 'b')]
    const decided: string[] = []
    const note = (line: string) => (): unknown => decided.push(line)
    const held = Promise.withResolvers<void>()
    gate.opened = held.promise
    const behind = [
      callChecked(a, 'gate', 'first').then(note('first')),
      a.plain('second').then(note('second')),
    ]
    await b.plain('elsewhere')
    expect(decided).toEqual([])
    held.resolve()
    await Promise.all(behind)
    expect(decided).toEqual(['first', 'second'])
    await plane.close()
  })
}

/** What should become of each entity. */
class History {
  readonly lines = new Map<number, string[]>()
  readonly #operations = new Set<number>()

  /** Whether it repeats an operation. */
  add({ on, isValid, operation }: Step, line: string): boolean {
    if (operation !== undefined && this.#operations.has(operation)) return true
    // One that was refused is not remembered, but nobody repeats it here before it is.
    if (operation !== undefined) this.#operations.add(operation)
    if (isValid || on.every(({ name }) => name === 'plain')) {
      for (const { id } of on) this.lines.set(id, [...(this.lines.get(id) ?? []), line])
    }
    return false
  }
}

/** What the schema waits for in place of turns. */
const gate: { opened: Promise<void> } = { opened: Promise.resolve() }

/** Accepts `turns line` after that many turns of the event loop, and refuses `turns` alone. */
const late = {
  '~standard': {
    version: 1,
    vendor: 'test',
    validate: async (
      input: unknown,
    ): Promise<{ value: string } | { issues: readonly { message: string }[] }> => {
      const [turns, line] = (input as string).split(' ')
      if (turns === 'gate') await gate.opened
      for (let i = 0; i < Number(turns); i++) await turn()
      return line === undefined ? { issues: [{ message: 'no line' }] } : { value: line }
    },
  },
} as const

const turn = (): Promise<void> =>
  new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel()
    port1.onmessage = () => {
      port1.close()
      resolve()
    }
    port2.postMessage(0)
  })

const state = record({ last: register('') })
const Journal = entity('journal', {
  state,
  commands: {
    plain: ({ last }, line: string) => exchange(last, line.split(' ').at(-1)!),
    checked: command(late, ({ last }: HandleOf<typeof state>, line) => exchange(last, line)),
  },
})

function exchange(last: RegisterHandle<string>, line: string): string {
  const before = last.value
  last.set(line)
  return before
}

const callChecked = (
  client: EntityClient<typeof Journal>,
  turns: number | 'gate',
  line: string,
): Promise<unknown> => client.checked(`${turns} ${line}`)

const ids = ['a', 'b', 'c']

interface Step {
  readonly on: readonly { readonly id: number; readonly name: 'plain' | 'checked' }[]
  readonly turns: number
  /** Whether the schema accepts it. */
  readonly isValid: boolean
  readonly operation: number | undefined
}

const inputOf = ({ turns, isValid, on }: Step, line: string): string =>
  isValid || on.every(({ name }) => name === 'plain') ? `${turns} ${line}` : `${turns}`

const anyStep: fc.Arbitrary<Step> = fc
  .record({
    on: fc.uniqueArray(
      fc.record({
        id: fc.nat({ max: ids.length - 1 }),
        name: fc.constantFrom('plain' as const, 'checked' as const),
      }),
      { minLength: 1, maxLength: 3, selector: ({ id }) => id },
    ),
    turns: fc.nat({ max: 4 }),
    isValid: fc.integer({ min: 0, max: 4 }).map((n) => n > 0),
    operation: fc.option(fc.nat({ max: 3 }), { nil: undefined }),
  })
  // A refused operation is not remembered: whether a repetition runs would depend on time.
  .map((step) => (step.isValid ? step : { ...step, operation: undefined }))
