import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

import { expect, test } from 'vitest'

import { textKernels } from '../text-kernels.ts'
import { readSteps, stepsOf } from './recording.ts'
import { replay } from './traces.ts'

const path = fileURLToPath(new URL('two-people.json', import.meta.url))

test.each(Object.entries(textKernels))(
  'what two people typed at the same time is the same text on all replicas, and the right one: %s',
  async (_, kernel) => {
    const recording = readSteps(path, 8)
    const { endContent } = JSON.parse(readFileSync(path, 'utf8')) as { endContent: string }
    const { isRight, commits, merges, characters } = await replay(recording, kernel)
    expect(isRight).toBe(true)
    expect(characters).toBe(endContent.length)
    expect(merges).toBeGreaterThan(50)
    expect(commits).toBeLessThan(recording.transactions)
  },
)

test('a wrong text is noticed', async () => {
  const patches = [[0, 0, 'right']] as const
  const { isRight } = await replay(
    stepsOf({ endContent: 'wrong', txns: [{ patches }] }, 1),
    textKernels.text,
  )
  expect(isRight).toBe(false)
})

test('transactions become one step only as long as nobody else has seen a part of them', () => {
  const txns = [
    { agent: 0, parents: [], patches: [[0, 0, 'a'] as const] },
    { agent: 0, parents: [0], patches: [[1, 0, 'b'] as const] },
    { agent: 1, parents: [1], patches: [[0, 0, 'c'] as const] },
    { agent: 0, parents: [1], patches: [[2, 0, 'd'] as const] },
    { agent: 0, parents: [3, 2], patches: [[3, 0, 'e'] as const] },
    { agent: 0, parents: [4], patches: [[4, 0, 'f'] as const] },
    { agent: 0, parents: [5], patches: [[5, 0, 'g'] as const] },
  ]
  const { steps } = stepsOf({ numAgents: 2, endContent: '', txns }, 2)
  expect(steps.map(({ author, parents, patches }) => [author, parents, patches.length])).toEqual([
    [0, [], 2],
    [1, [0], 1],
    [0, [0], 1],
    [0, [2, 1], 2],
    [0, [3], 1],
  ])
})
