import { ChangeSet, Text } from '@codemirror/state'
import { PeerplaneError, Rejected } from '@peerplane/browser'
import { retryContract, type RetryFixture, type RetryWorld } from '@peerplane/core/testing'
import fc from 'fast-check'
import { expect, test, vi } from 'vitest'

import type { Splice } from './entities.ts'
import { Outbox, type OutboxPorts, type Saving } from './outbox.ts'
import { Server } from './server.fixture.test.ts'

type Fate = 'made' | 'full' | 'made, not answered' | 'not made, not answered' | 'never'

/** An editor in a page with a clock that is moved by hand, and a server whose answers are decided by `fate`. */
function page(fate: (splices: readonly Splice[]) => Fate, server = new Server()) {
  let text = server.current.text
  let now = 0
  let ids = 0
  let timers: { readonly at: number; readonly task: () => void }[] = []
  const done = new Set<string>()
  const withdrawn = new Set<string>()
  const seen: { saving: Saving; edits: number; largest: number } = {
    saving: { state: 'stored', reason: undefined, refused: undefined },
    edits: 0,
    largest: 0,
  }
  const apply = (changes: ChangeSet): void => {
    text = changes.apply(Text.of(text.split('\n'))).toString()
  }
  const ports: OutboxPorts = {
    edit: async (splices, { at, operationId }) => {
      seen.edits++
      const size = splices.reduce((sum, each) => sum + each.insert.length + each.deleteCount, 0)
      seen.largest = Math.max(seen.largest, size)
      expect(splices.every(({ insert }) => insert.isWellFormed())).toBe(true)
      const what = fate(splices)
      if (what === 'full') throw new PeerplaneError('store-full', 'no room')
      if (what === 'never') throw new Rejected('never', 'not here')
      expect(done.has(operationId) || withdrawn.has(operationId)).toBe(false)
      if (what !== 'not made, not answered') {
        server.edit(at, splices)
        done.add(operationId)
        outbox.received(server.current)
      }
      if (what.endsWith('not answered')) {
        throw new PeerplaneError('unknown', 'nobody answers', { operationId })
      }
      return { commit: 'c' }
    },
    outcome: async (operationId) => {
      if (fate([]) === 'full') throw new PeerplaneError('store-full', 'no room')
      if (done.has(operationId)) return { commit: 'c' }
      withdrawn.add(operationId)
      return undefined
    },
    show: apply,
    shown: () => text,
    after: (ms, task) => {
      const timer = { at: now + ms, task }
      timers.push(timer)
      return () => {
        timers = timers.filter((each) => each !== timer)
      }
    },
    newId: () => `${ids++}`,
    changed: (saving) => (seen.saving = saving),
  }
  const outbox = new Outbox(server.current, ports)
  return {
    outbox,
    seen,
    server,
    text: () => text,
    type: (from: number, deleted: number, insert: string) => {
      const at = Math.min(from, text.length)
      const to = Math.min(text.length, at + deleted)
      const changes = ChangeSet.of(
        { from: at, to, insert: Text.of(insert.split('\n')) },
        text.length,
      )
      apply(changes)
      outbox.typed(changes)
    },
    pass: async (ms: number) => {
      const end = now + ms
      for (;;) {
        await new Promise((resolve) => setImmediate(resolve))
        const next = timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0]
        if (!next) break
        now = next.at
        timers = timers.filter((each) => each !== next)
        next.task()
      }
      now = end
    },
  }
}

test('a paste of any length is sent in pieces, and no character is split', async () => {
  const { type, pass, server, seen, text } = page(() => 'made')
  const paste = '👍'.repeat(60_000) + 'x\n'.repeat(20_001)
  type(0, 0, paste)
  await pass(60_000)
  expect(server.current.text).toBe(paste)
  expect(seen.saving.state).toBe('stored')
  expect(seen.largest).toBeLessThanOrEqual(40_000)
  type(0, paste.length, 'short')
  await pass(60_000)
  expect([server.current.text, text()]).toEqual(['short', 'short'])
  expect(seen.largest).toBeLessThanOrEqual(40_000)
})

test('text that can never be stored is removed and shown with the reason; later text is stored', async () => {
  const { type, pass, server, seen, text, outbox } = page((splices) =>
    splices.some(({ insert }) => insert.includes('no')) ? 'never' : 'made',
  )
  type(0, 0, 'before ')
  await pass(30)
  type(7, 0, 'no!')
  await pass(24)
  await pass(1)
  type(10, 0, ' after')
  await pass(3_000)
  expect(text()).toBe(server.current.text)
  expect(server.current.text).toContain('before')
  expect(server.current.text).toContain('after')
  expect(seen.saving).toMatchObject({ state: 'stored', refused: { text: 'no!' } })
  expect(seen.saving.refused!.reason).toContain('not here')
  expect(outbox.left()?.refused?.text).toBe('no!')
  outbox.dismiss()
  expect(outbox.left()).toBeUndefined()
  const { edits } = seen
  await pass(10_000)
  expect(seen.edits).toBe(edits)
})

test('what fails and may pass is sent again, and said to be late with its reason', async () => {
  let fate: Fate = 'full'
  const { type, pass, server, seen } = page(() => fate)
  type(0, 0, 'a')
  await pass(100)
  expect(seen.saving).toMatchObject({ state: 'late', reason: expect.stringContaining('no room') })
  type(1, 0, 'b')
  await pass(5_000)
  expect(server.current.text).toBe('')
  expect(seen.edits).toBeLessThan(10)
  fate = 'made'
  await pass(1_100)
  expect(server.current.text).toBe('ab')
  expect(seen.saving).toEqual({ state: 'stored', reason: undefined, refused: undefined })
})

const fates: Fate[] = ['made', 'full', 'made, not answered', 'not made, not answered', 'never']

test('every typed word is in the shared text once, or shown as refused, whatever happens to the edits', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ at: fc.nat(60), ms: fc.nat(1_500) }), { minLength: 1, maxLength: 12 }),
      fc.array(fc.constantFrom(...fates), { maxLength: 20 }),
      async (words, given) => {
        const fated = [...given]
        const here = page(() => fated.shift() ?? 'made')
        for (const [i, { at, ms }] of words.entries()) {
          here.type(at, 0, `<${i}>`)
          await here.pass(ms)
        }
        await here.pass(60_000)
        const { saving } = here.seen
        expect(saving.state).toBe('stored')
        expect(here.text()).toBe(here.server.current.text)
        const all = here.text() + (saving.refused?.text ?? '')
        const letters = words.map((_, i) => `<${i}>`).join('')
        expect(Array.from(all).sort()).toEqual(Array.from(letters).sort())
      },
    ),
    { numRuns: 200 },
  )
})

/** An editor whose edits, or the questions for their outcomes, meet faults. */
function failing(time: RetryWorld['time'], meets: { edit(): void; outcome(): void }): RetryFixture {
  const server = new Server()
  let text = ''
  let ids = 0
  const outbox: Outbox = new Outbox(server.current, {
    edit: async (splices, { at, operationId }) => {
      try {
        meets.edit()
      } catch (error) {
        // As it comes from a tab: with the id.
        const isUnknown = error instanceof PeerplaneError && error.code === 'unknown'
        throw isUnknown ? new PeerplaneError('unknown', 'no answer', { operationId }) : error
      }
      server.edit(at, splices)
      outbox.received(server.current)
      return { commit: 'c' }
    },
    outcome: async () => {
      meets.outcome()
      return undefined
    },
    show: (changes) => (text = changes.apply(Text.of([text])).toString()),
    shown: () => text,
    after: (ms, task) => time.scheduler.after(ms, task),
    newId: () => `${ids++}`,
    changed: () => undefined,
  })
  const type = (word: string): void => {
    const changes = ChangeSet.of({ from: text.length, insert: word }, text.length)
    text += word
    outbox.typed(changes)
  }
  return {
    begin: () => type('first '),
    later: async () => {
      type('later')
      await vi.waitFor(() => expect(server.current.text).toContain('later'))
    },
  }
}

retryContract('what is typed', { by: 'itself' }, async ({ time, code, attempt }) => {
  let isUnknown = code === 'unknown'
  return failing(time, {
    edit: () => {
      // It did not run, says the outcome: only then is it another edit.
      if (code !== 'unknown') return attempt()
      if (isUnknown) {
        isUnknown = false
        attempt()
      }
    },
    outcome: () => undefined,
  })
})

retryContract(
  'the outcome of an edit whose answer did not come',
  { by: 'itself' },
  async (world) => {
    let isFirst = true
    return failing(world.time, {
      edit: () => {
        if (!isFirst) return
        isFirst = false
        throw new PeerplaneError('unknown', 'no answer', { operationId: 'x' })
      },
      outcome: world.attempt,
    })
  },
)
