import { readFileSync } from 'node:fs'

import { expect, test } from 'vitest'

const folder = new URL('../../../docs/', import.meta.url)
const read = (name = 'protocol-vectors.json'): unknown =>
  JSON.parse(readFileSync(new URL(name, folder), 'utf8'))
const { check, checkStates, checkWriters } = (await import(
  new URL('protocol-decoder.mjs', folder).href
)) as Readonly<Record<'check' | 'checkStates' | 'checkWriters', (vectors: unknown) => string[]>>

test('a reader that was written from the text alone reads the vectors', () => {
  expect(check(read()).length).toBeGreaterThan(40)
})

interface StateVector {
  readonly sessions: readonly {
    readonly device: string
    readonly parents: readonly unknown[]
    readonly start?: number
  }[]
  readonly bodies: readonly { readonly prefix: string }[]
  readonly state: unknown
  readonly incomplete: boolean
}

test('it makes the states of the vectors, and other states of other bodies', () => {
  const vectors = read('state-vectors.json') as StateVector[]
  expect(checkStates(vectors).length).toBe(vectors.length)
  const isNoticed = (vector: StateVector): boolean => !isAccepted([vector], checkStates)
  const noticed = { fewer: 0, prefix: 0, device: 0, parents: 0, start: 0 }
  for (const vector of vectors) {
    expect(isNoticed({ ...vector, state: another(vector.state) })).toBe(true)
    expect(isNoticed({ ...vector, incomplete: !vector.incomplete })).toBe(true)
    for (const body of vector.bodies) {
      const bodies = vector.bodies.filter((each) => each !== body)
      if (isNoticed({ ...vector, bodies })) noticed.fewer++
    }
    for (const [at, body] of vector.bodies.entries()) {
      const bodies = vector.bodies.with(at, { ...body, prefix: another(body.prefix) as string })
      if (isNoticed({ ...vector, bodies })) noticed.prefix++
    }
    for (const [at, session] of vector.sessions.entries()) {
      const device = vector.sessions.with(at, { ...session, device: 'ff'.repeat(32) })
      const parents = vector.sessions.with(at, { ...session, parents: [] })
      const start = vector.sessions.with(at, { ...session, start: 0 })
      if (isNoticed({ ...vector, sessions: start })) noticed.start++
      if (isNoticed({ ...vector, sessions: device })) noticed.device++
      if (isNoticed({ ...vector, sessions: parents })) noticed.parents++
    }
  }
  expect(noticed.fewer).toBeGreaterThan(80)
  expect(noticed.prefix).toBeGreaterThan(10)
  expect(noticed.device).toBeGreaterThan(15)
  expect(noticed.parents).toBeGreaterThan(6)
  expect(noticed.start).toBeGreaterThan(3)
})

test('it makes the branches of the vectors with a single writer, and other branches of other bodies', () => {
  const vectors = read('writer-vectors.json') as WriterVector[]
  expect(checkWriters(vectors).length).toBe(vectors.length)
  const isNoticed = (vector: WriterVector): boolean => !isAccepted([vector], checkWriters)
  let noticed = 0
  for (const vector of vectors) {
    expect(isNoticed({ ...vector, exists: !vector.exists })).toBe(true)
    const branches = vector.branches.length > 0 ? vector.branches.slice(1) : [{}]
    expect(isNoticed({ ...vector, branches })).toBe(true)
    for (const body of vector.bodies) {
      const bodies = vector.bodies.filter((each) => each !== body)
      if (isNoticed({ ...vector, bodies })) noticed++
    }
  }
  expect(noticed).toBeGreaterThan(30)
})

interface WriterVector {
  readonly bodies: readonly unknown[]
  readonly branches: readonly unknown[]
  readonly exists: boolean
}

/** What stays wrong when it is changed, and wall clocks, of which some do not matter. */
const WRONG = new Set(['refused', 'notCanonical', 'ignores', 'ignored', 'wall'])

test('no figure of the vectors can change without that reader noticing', () => {
  const unnoticed: string[] = []
  let count = 0
  const visit = (node: Record<string, unknown>, path: string, root: unknown): void => {
    for (const [name, value] of Object.entries(node)) {
      if (WRONG.has(name)) continue
      const place = `${path}/${name}`
      if (typeof value === 'object' && value !== null) {
        visit(value as Record<string, unknown>, place, root)
        continue
      }
      node[name] = another(value)
      count++
      if (isAccepted(root)) unnoticed.push(place)
      node[name] = value
    }
  }
  const vectors = read() as Record<string, unknown>
  visit(vectors, '', vectors)
  expect(unnoticed).toEqual([])
  expect(count).toBeGreaterThan(90)
  expect(isAccepted(vectors)).toBe(true)
})

function isAccepted(vectors: unknown, by = check): boolean {
  try {
    by(vectors)
    return true
  } catch {
    return false
  }
}

/** Another value of the same kind. */
function another(value: unknown): unknown {
  // Some numbers are too large to change by one.
  if (typeof value === 'number') return value + 1 === value ? value / 2 : value + 1
  if (typeof value !== 'string') return 'another'
  const at = value.length >> 1
  const digit = value[at] === '0' ? '1' : '0'
  return value === '' ? '00' : value.slice(0, at) + digit + value.slice(at + 1)
}
