import { describe, expect, test } from 'vitest'

import { SimRandom } from '../world/random.ts'
import { isLinearizable, type SequentialModel, type TimedOperation } from './linearizable.ts'

type Input = { read: true } | { write: number } | { from: number; to: number }
type Output = number | boolean
type Operation = TimedOperation<Input, Output>

/** A register with compare-and-set that starts at 0. */
const register: SequentialModel<number, Input, Output> = {
  initial: 0,
  step: (state, input, output, unknown) => {
    if ('read' in input) return unknown || output === state ? { state } : undefined
    if ('write' in input) return { state: input.write }
    const swaps = state === input.from
    return unknown || output === swaps ? { state: swaps ? input.to : state } : undefined
  },
  keyOf: String,
}

const write = (called: number, returned: number, value: number): Operation => ({
  called,
  returned,
  input: { write: value },
  output: true,
})
const read = (called: number, returned: number, output: number): Operation => ({
  called,
  returned,
  input: { read: true },
  output,
})

describe('by hand', () => {
  test('a read overlapping a write may see it or not; afterwards it must', () => {
    expect(isLinearizable(register, [write(0, 10, 1), read(1, 2, 0), read(3, 4, 1)])).toBe(true)
    expect(isLinearizable(register, [write(0, 10, 1), read(1, 2, 1), read(3, 4, 0)])).toBe(false)
    expect(isLinearizable(register, [write(0, 1, 1), read(2, 3, 0)])).toBe(false)
  })

  test('a write of unknown outcome may take effect late, or never', () => {
    expect(isLinearizable(register, [write(0, Infinity, 1), read(5, 6, 0), read(7, 8, 1)])).toBe(
      true,
    )
    expect(isLinearizable(register, [write(0, Infinity, 1), read(5, 6, 0)])).toBe(true)
    expect(isLinearizable(register, [write(0, Infinity, 1), read(5, 6, 1), read(7, 8, 0)])).toBe(
      false,
    )
  })
})

describe('against generated histories', { timeout: 60_000 }, () => {
  test('500 of 500 valid histories pass', () => {
    for (let seed = 0; seed < 500; seed++) {
      expect(
        isLinearizable(register, generate(new SimRandom(`valid ${seed}`), 200, 6)),
        `seed ${seed}`,
      ).toBe(true)
    }
  })

  test('500 of 500 histories with an impossible read are found', () => {
    for (let seed = 0; seed < 500; seed++) {
      const random = new SimRandom(`violating ${seed}`)
      const history = generate(random, 60, 4)
      const reads = history.filter(
        ({ input, returned }) => 'read' in input && returned !== Infinity,
      )
      const target = random.pick(reads)
      const broken = history.map((each) => (each === target ? { ...each, output: 99 } : each))
      expect(isLinearizable(register, broken), `seed ${seed}`).toBe(false)
    }
  })

  test('1,000 small histories are judged like a search through all orders judges them', () => {
    const verdicts = { good: 0, bad: 0 }
    for (let seed = 0; seed < 1000; seed++) {
      const random = new SimRandom(`small ${seed}`)
      const history = generate(random, 6, 3).map((each) =>
        'read' in each.input && each.output !== undefined && random.chance(0.4)
          ? { ...each, output: random.below(3) }
          : each,
      )
      const expected = someOrder(history)
      expect(isLinearizable(register, history), `seed ${seed}`).toBe(expected)
      verdicts[expected ? 'good' : 'bad']++
    }
    expect(Math.min(verdicts.good, verdicts.bad)).toBeGreaterThan(100)
  })
})

/** Clients on one real register: each operation takes effect at a moment between call and return; a few never hear of it. */
function generate(random: SimRandom, size: number, clients: number): Operation[] {
  const free = Array.from({ length: clients }, () => 0)
  const planned = Array.from({ length: size }, () => {
    const client = random.below(clients)
    const called = free[client]! + random.unit()
    const moment = called + random.between(0, 3)
    free[client] = moment + random.between(0, 3)
    const choice = random.unit()
    const input: Input =
      choice < 0.4
        ? { read: true }
        : choice < 0.8
          ? { write: random.below(3) }
          : { from: random.below(3), to: random.below(3) }
    return { called, moment, returned: free[client], input }
  })
  let state = 0
  return planned
    .sort((a, b) => a.moment - b.moment)
    .map(({ called, returned, input }) => {
      const before = state
      state = register.step(state, input, undefined, true)!.state
      const output = 'read' in input ? before : 'write' in input ? true : before === input.from
      if (random.chance(0.02)) return { called, returned: Infinity, input, output: undefined }
      return { called, returned, input, output }
    })
}

/** Linearizability by its definition. */
function someOrder(history: Operation[], state = 0): boolean {
  const known = history.filter(({ returned }) => returned !== Infinity)
  if (known.length === 0) return true
  const earliest = Math.min(...known.map(({ returned }) => returned))
  return history.some((each) => {
    if (each.called > earliest) return false
    const after = register.step(state, each.input, each.output, each.returned === Infinity)
    return (
      after !== undefined &&
      someOrder(
        history.filter((other) => other !== each),
        after.state,
      )
    )
  })
}
