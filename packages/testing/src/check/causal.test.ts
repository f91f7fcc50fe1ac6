import { describe, expect, test } from 'vitest'

import { SimRandom } from '../world/random.ts'
import { checkCausal, type RegisterOperation } from './causal.ts'

const write = (key: string, value: string): RegisterOperation => ({ kind: 'write', key, value })
const read = (key: string, value?: string): RegisterOperation => ({ kind: 'read', key, value })

describe('each pattern by hand', () => {
  test('a read of a value that nobody wrote', () => {
    expect(checkCausal([[read('x', '1')]])?.pattern).toBe('ThinAirRead')
  })

  test('two reads that each depend on the other', () => {
    const sessions = [
      [read('x', '2'), write('y', '1')],
      [read('y', '1'), write('x', '2')],
    ]
    expect(checkCausal(sessions)?.pattern).toBe('CyclicCO')
  })

  test('an effect without its cause', () => {
    const sessions = [
      [write('x', '1'), write('y', '1')],
      [read('y', '1'), read('x')],
    ]
    expect(checkCausal(sessions)?.pattern).toBe('WriteCOInitRead')
  })

  test('a value that the reader knows to be overwritten', () => {
    const sessions = [
      [write('x', '1'), write('x', '2'), write('y', '1')],
      [read('y', '1'), read('x', '1')],
    ]
    expect(checkCausal(sessions)?.pattern).toBe('WriteCORead')
  })

  test('two readers for whom different writes win', () => {
    const sessions = [
      [write('x', '1'), read('x', '2')],
      [write('x', '2'), read('x', '1')],
    ]
    expect(checkCausal(sessions)?.pattern).toBe('CyclicCF')
  })

  test('concurrent writes may be seen in either order, as long as one wins in the end', () => {
    const sessions = [
      [write('x', '1'), read('x', '1'), read('x', '2')],
      [write('x', '2'), read('x', '2')],
      [read('x', '1'), read('x', '2')],
    ]
    expect(checkCausal(sessions)).toBeUndefined()
  })
})

describe('against generated histories', { timeout: 60_000 }, () => {
  test('500 of 500 valid histories pass', () => {
    for (let seed = 0; seed < 500; seed++) {
      const { sessions } = replicated(seed, { clients: 4, operations: 300, keys: 5, early: 0 })
      expect(checkCausal(sessions), `seed ${seed}`).toBeUndefined()
    }
  })

  test('500 of 500 histories with a visible violation are found', () => {
    let found = 0
    for (let seed = 0; found < 500; seed++) {
      const { sessions, visible } = replicated(seed, {
        clients: 4,
        operations: 300,
        keys: 5,
        early: 0.1,
      })
      if (!visible) continue
      expect(checkCausal(sessions), `seed ${seed}`).toBeDefined()
      found++
    }
  })

  test('1,000 small histories are judged like a search through all explanations judges them', () => {
    const verdicts = { good: 0, bad: 0 }
    for (let seed = 0; seed < 1000; seed++) {
      const sessions = arbitrary(new SimRandom(`small ${seed}`))
      const expected = isExplicable(sessions)
      const verdict = checkCausal(sessions) === undefined
      expect({ sessions, verdict }).toEqual({ sessions, verdict: expected })
      verdicts[expected ? 'good' : 'bad']++
    }
    expect(Math.min(verdicts.good, verdicts.bad)).toBeGreaterThan(100)
  })
})

/**
 * A history of replicas with causal delivery and last-writer-wins registers. With `early`, a message is sometimes delivered before what it
 * depends on; `visible` says whether a read then returned what the reader's own causal past had overwritten, judged by full write sets.
 */
function replicated(
  seed: number,
  shape: { clients: number; operations: number; keys: number; early: number },
): { sessions: RegisterOperation[][]; visible: boolean } {
  interface Write {
    readonly key: string
    readonly value: string
    readonly order: number
    readonly past: ReadonlySet<Write>
  }
  const random = new SimRandom(`history ${seed}`)
  const replicas = Array.from({ length: shape.clients }, () => ({
    delivered: new Set<Write>(),
    /** What a client can know of: the pasts of all that it wrote and read. */
    known: new Set<Write>(),
    inbox: [] as Write[],
    operations: [] as RegisterOperation[],
  }))
  let count = 0
  let visible = false
  const winner = (writes: Iterable<Write>, key: string): Write | undefined =>
    [...writes].filter((each) => each.key === key).sort((a, b) => b.order - a.order)[0]
  while (count < shape.operations) {
    const me = random.pick(replicas)
    if (me.inbox.length > 0 && random.chance(0.5)) {
      const early = random.chance(shape.early)
      const index = me.inbox.findIndex(
        ({ past }) => early || [...past].every((cause) => me.delivered.has(cause)),
      )
      const at = early ? random.below(me.inbox.length) : index
      if (at >= 0) me.delivered.add(me.inbox.splice(at, 1)[0]!)
      continue
    }
    count++
    const key = `k${random.below(shape.keys)}`
    if (random.chance(0.5)) {
      const past = new Set(me.known)
      const made: Write = { key, value: `v${count}`, order: count, past }
      me.delivered.add(made)
      me.known.add(made)
      me.operations.push({ kind: 'write', key, value: made.value })
      for (const other of replicas) if (other !== me) other.inbox.push(made)
    } else {
      const shown = winner(me.delivered, key)
      for (const cause of shown?.past ?? []) me.known.add(cause)
      if (shown) me.known.add(shown)
      const overwritten = [...me.known].some(
        (each) => each.key === key && each !== shown && (!shown || each.past.has(shown)),
      )
      visible ||= overwritten
      me.operations.push({ kind: 'read', key, value: shown?.value })
    }
  }
  return { sessions: replicas.map(({ operations }) => operations), visible }
}

/** A tiny history without any system behind it: most are wrong. */
function arbitrary(random: SimRandom): RegisterOperation[][] {
  const values = ['1', '2', '3']
  const sessions: RegisterOperation[][] = [[], [], []]
  const written: [string, string][] = []
  for (const value of values) {
    const key = random.pick(['x', 'y'])
    written.push([key, value])
    random.pick(sessions).push(write(key, value))
  }
  for (let i = 0; i < 4; i++) {
    const key = random.pick(['x', 'y'])
    const choices = written.filter(([each]) => each === key).map(([, value]) => value)
    const value = random.chance(0.2) || choices.length === 0 ? undefined : random.pick(choices)
    const session = random.pick(sessions)
    session.splice(random.below(session.length + 1), 0, read(key, value))
  }
  return sessions
}

/**
 * Causal convergence by its definition: there is one total order of all operations that contains the causal order, such that every read
 * returns the last write to its key, in that order, among those in its causal past.
 */
function isExplicable(sessions: RegisterOperation[][]): boolean {
  const all = sessions.flatMap((operations, session) =>
    operations.map((operation, index) => ({ operation, session, index })),
  )
  const size = all.length
  const causal = all.map(() => new Set<number>())
  for (const [i, a] of all.entries()) {
    for (const [j, b] of all.entries()) {
      const inSession = a.session === b.session && a.index < b.index
      const readFrom =
        a.operation.kind === 'write' &&
        b.operation.kind === 'read' &&
        a.operation.key === b.operation.key &&
        a.operation.value === b.operation.value
      if (inSession || readFrom) causal[j]!.add(i)
    }
  }
  for (let round = 0; round < size; round++) {
    for (const past of causal) for (const i of past) for (const j of causal[i]!) past.add(j)
  }
  if (causal.some((past, i) => past.has(i))) return false
  const extend = (order: readonly number[]): boolean => {
    if (order.length === size) return true
    return all.some(({ operation }, i) => {
      if (order.includes(i) || [...causal[i]!].some((cause) => !order.includes(cause))) return false
      if (operation.kind === 'read') {
        const last = order.findLast((j) => {
          const other = all[j]!.operation
          return causal[i]!.has(j) && other.kind === 'write' && other.key === operation.key
        })
        if ((last === undefined ? undefined : all[last]!.operation.value) !== operation.value)
          return false
      }
      return extend([...order, i])
    })
  }
  return extend([])
}
