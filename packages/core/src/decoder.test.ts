import { readFileSync } from 'node:fs'

import { expect, test } from 'vitest'

const folder = new URL('../../../docs/', import.meta.url)
const read = (): unknown =>
  JSON.parse(readFileSync(new URL('protocol-vectors.json', folder), 'utf8'))
const { check } = (await import(new URL('protocol-decoder.mjs', folder).href)) as {
  check: (vectors: unknown) => string[]
}

test('a reader that was written from the text alone reads the vectors', () => {
  expect(check(read()).length).toBeGreaterThan(40)
})

/** What stays wrong when it is changed. */
const WRONG = new Set(['refused', 'notCanonical'])

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

function isAccepted(vectors: unknown): boolean {
  try {
    check(vectors)
    return true
  } catch {
    return false
  }
}

/** Another value of the same kind. */
function another(value: unknown): unknown {
  if (typeof value === 'number') return value + 1
  if (typeof value !== 'string') return 'another'
  const at = value.length >> 1
  const digit = value[at] === '0' ? '1' : '0'
  return value === '' ? '00' : value.slice(0, at) + digit + value.slice(at + 1)
}
