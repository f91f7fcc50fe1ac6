import {
  decodeCanonical,
  limits,
  PeerplaneError,
  traceTo,
  type Commit,
  type EntityKey,
  type EntityState,
  type Origin,
  type Section,
  type SessionId,
  type StateModel,
} from '@peerplane/core'
import { rootLineage } from '@peerplane/core/testing'
import { beforeEach, describe, expect, test } from 'vitest'

import { clearRange, type ClearableStore } from '../storage/checked-store.ts'
import { createMemoryStore } from '../storage/memory-store.ts'
import type { Entities, EntitiesOptions } from './entities.ts'
import {
  commitOf,
  remoteBody,
  HeldLog,
  manualScheduler,
  models,
  recordingStore,
  bodyOf,
  refold,
  runOwn,
  sectionOf,
  sessionId,
  type Handle,
  type RecordingStore,
  deviceOf,
} from './held-log.fixture.test.ts'
import { absentKey, allKeys, rowKey, snapshotKey, waitingKeys } from './keys.ts'
import { openEntities } from './open-entities.ts'

const keyOf = (text: string): EntityKey => text as EntityKey
const originOf = (seq: number, session = 1): Origin => ({
  device: deviceOf(sessionId(session)),
  session: sessionId(session),
  seq,
  time: { ms: seq, counter: 0 },
})

let store: RecordingStore
let log: HeldLog
let scheduler: ReturnType<typeof manualScheduler>
let entities: Entities

beforeEach(async () => {
  store = recordingStore()
  log = new HeldLog(store)
  scheduler = manualScheduler()
  entities = await open()
})

const open = (options: Partial<EntitiesOptions> = {}): Promise<Entities> =>
  openEntities({
    store,
    models,
    scheduler,
    deviceOf,
    lineageOf: () => rootLineage,
    isUnderstood: () => true,
    settled: log.settle,
    ...options,
  })

const reopen = async (options: Partial<EntitiesOptions> = {}): Promise<void> => {
  await entities.close()
  entities = await open(options)
}

async function remote(
  seq: number,
  keys: readonly string[],
  command: (handle: Handle) => void = (h) => h.title.set(`v${seq}`),
): Promise<Commit> {
  const body = await remoteBody(originOf(seq), command)
  return commitOf(
    originOf(seq),
    keys.map((key) => sectionOf(keyOf(key), body)),
  )
}

const withSections = (seq: number, sections: readonly Section[]): Commit =>
  commitOf(originOf(seq), sections)

const titles = async (type: string, query = {}): Promise<string[]> =>
  (await entities.list(type, query)).map(
    ({ id, state }) => `${id}=${(state as { title: string }).title}`,
  )

describe('entities', () => {
  test('fold remote commits once, return the entities that changed, and keep them over a restart', async () => {
    const commits = [await remote(1, ['row/a', 'other/x']), await remote(2, ['row/b', 'row/a'])]
    expect(await entities.fold(commits)).toEqual(['row/a', 'row/b'])
    expect(await entities.fold(commits)).toEqual([])
    await reopen()
    expect([...entities.folded()]).toEqual([[sessionId(1), 2]])
    expect((await entities.open(keyOf('row/a'))).mirror).toMatchObject({ title: 'v2' })
    expect(await titles('row')).toEqual(['a=v2', 'b=v2'])
  })

  test('refuse commits behind a gap, so that it cannot be passed over', async () => {
    await expect(entities.fold([await remote(2, ['row/a'])])).rejects.toMatchObject({
      code: 'broken-chain',
    })
    expect(await entities.fold([await remote(1, ['row/a'])])).toEqual(['row/a'])
  })

  test('list by prefix, after an id and up to a limit, whether flushed or not', async () => {
    const ids = ['b', 'a', 'a/2', 'a/10', 'é', '𝒳', '\uffee']
    await entities.fold([
      await remote(
        1,
        ids.map((id) => `row/${id}`),
      ),
    ])
    const queries = [
      {},
      { prefix: 'a/' },
      { after: 'a/10' },
      { limit: 2 },
      { after: 'a', limit: 2 },
    ]
    const unflushed = await Promise.all(queries.map((query) => entities.list('row', query)))
    await reopen()
    const flushed = await Promise.all(queries.map((query) => entities.list('row', query)))
    expect(flushed).toEqual(unflushed)
    expect(flushed.map((rows) => rows.map(({ id }) => id))).toEqual([
      ['a', 'a/10', 'a/2', 'b', 'é', '\uffee', '𝒳'],
      ['a/10', 'a/2'],
      ['a/2', 'b', 'é', '\uffee', '𝒳'],
      ['a', 'a/10'],
      ['a/10', 'a/2'],
    ])
    await entities.fold([await remote(2, ['row/a/11'])])
    expect(await titles('row', { prefix: 'a/', limit: 2 })).toEqual(['a/10=v1', 'a/11=v2'])
    await expect(entities.list('other')).rejects.toMatchObject({ code: 'unknown-entity' })
    expect(await entities.list('page')).toEqual([])
  })

  test('flush by themselves some time after a change, and try again when that failed', async () => {
    await entities.fold([await remote(1, ['row/a'])])
    const written = store.writes.length
    store.failAfter = written
    scheduler.run()
    await expect.poll(() => scheduler.size).toBe(1)
    expect(store.writes.length).toBe(written)
    store.failAfter = Infinity
    scheduler.run()
    await expect.poll(() => store.writes.length).toBe(written + 1)
    expect(await store.get(rowKey(keyOf('row/a')))).toBeDefined()
  })

  test('keep what could not be flushed', async () => {
    await entities.fold([await remote(1, ['row/a', 'page/a'])])
    store.failAfter = store.writes.length
    await expect(entities.flush()).rejects.toThrow('the disk is gone')
    store.failAfter = Infinity
    await reopen()
    expect(await titles('row')).toEqual(['a=v1'])
    expect(await titles('page')).toEqual(['a=v1'])
    expect([...entities.folded().values()]).toEqual([1])
  })

  test('refold everything when a type is declared that was not before, or with another shape', async () => {
    const commits = [await remote(1, ['row/a', 'page/a'])]
    await log.write(commits)
    await reopen({ models: new Map([...models].slice(0, 1)) })
    await refold(entities, store)
    await reopen({ models: new Map([...models].slice(0, 1)) })
    expect(entities.folded().size).toBe(1)
    await reopen()
    expect(entities.folded().size).toBe(0)
    expect(await store.scan({ ...allKeys, to: Uint8Array.of(0x23) })).toEqual([])
    await refold(entities, store)
    expect(await titles('page')).toEqual(['a=v1'])
  })

  test.each(['row', 'page'])(
    'an entity with a change that only a newer version can read is incomplete, but can be read and written: a %s',
    async (type) => {
      const critical = { extensions: [[2, 'new']] as const }
      const traced: unknown[] = []
      const trace = traceTo({ 'entity.incomplete': ({ entity }) => traced.push(entity) })
      const sections = async (seq: number, title: string): Promise<Section[]> => {
        const body = await remoteBody(originOf(seq), (h) => h.title.set(title))
        return [sectionOf(keyOf(`${type}/newer`), body), sectionOf(keyOf(`${type}/other`), body)]
      }
      const change = async (
        seq: number,
        alter: (section: Section) => Section,
        header = {},
      ): Promise<Commit> => {
        const [newer, other] = await sections(seq, `v${seq}`)
        const commit = withSections(seq, [
          alter(newer!),
          ...('extensions' in header ? [] : [other!]),
        ])
        return { ...commit, header: { ...commit.header, ...header } }
      }
      const same = (section: Section): Section => section
      const ways: ((seq: number) => Promise<Commit>)[] = [
        (seq) => change(seq, (section) => ({ ...section, modelVersion: 2 })),
        (seq) => change(seq, (section) => ({ ...section, ...critical })),
        (seq) => change(seq, same, critical),
        async () => {
          const origin = originOf(1, 9)
          const body = await remoteBody(origin, (h) => h.title.set('v2'))
          return commitOf(origin, [sectionOf(keyOf(`${type}/newer`), body)])
        },
      ]
      const isUnderstood = (session: SessionId): boolean => session !== sessionId(9)
      for (const way of ways) {
        await entities.close()
        store = recordingStore()
        log = new HeldLog(store)
        entities = await open({ isUnderstood, trace })
        traced.length = 0
        const newer = keyOf(`${type}/newer`)
        const second = await way(2)
        const next = second.session === sessionId(9) ? 2 : 3
        const commits = [await change(1, same), second, await change(next, same)]
        await entities.fold(commits.slice(0, 2))
        for (let i = 0; i < 3; i++) {
          expect((await entities.open(newer)).mirror).toMatchObject({ title: 'v1' })
          expect(entities.isIncomplete(newer)).toBe(true)
          await entities.open(keyOf(`${type}/other`))
          expect(entities.isIncomplete(keyOf(`${type}/other`))).toBe(false)
          if (i === 1) scheduler.run()
          await reopen({ isUnderstood, trace })
        }
        expect(traced).toContain(newer)
        await entities.fold(commits.slice(2))
        expect((await entities.open(newer)).mirror).toMatchObject({ title: `v${next}` })
        const origin = originOf(1, 7)
        await runOwn(entities, log, origin, [[newer, (h) => h.title.set('own')]])
        await entities.flush()
        await reopen({ isUnderstood, trace })
        const state = await entities.open(newer)
        expect(state.mirror).toMatchObject({ title: 'own' })
        expect(entities.isIncomplete(newer)).toBe(true)
        if (type === 'page') continue
        // A deletion names what it removes, and no generation begins: that would remove what only the newer version sees.
        const deletion = state.begin(originOf(2, 7))
        deletion.delete()
        expect(decodeCanonical(deletion.finish()!)).toEqual([
          expect.any(Array),
          [[6, expect.any(Array)]],
        ])
        const again = state.begin(originOf(3, 7))
        ;(again.handle as Handle).title.set('again')
        expect(decodeCanonical(again.finish()!)).toHaveLength(2)
      }
    },
  )

  test.each(['row', 'page'])(
    'an incomplete entity becomes complete when the program is updated to the newer version: a %s',
    async (type) => {
      const key = keyOf(`${type}/a`)
      const body = await remoteBody(originOf(2), (h) => h.title.set('newer'))
      const commits = [await remote(1, [key]), withSections(2, [sectionOf(key, body, 2)])]
      await entities.fold(commits)
      await entities.open(key)
      await entities.flush()
      const { lifecycle, load } = models.get(type)!
      const model = await load()
      const newer = { version: 2, open: (snapshot?: Uint8Array) => model.open(snapshot) }
      const declared = { signature: 'newer', lifecycle, load: () => Promise.resolve(newer) }
      await reopen({ models: new Map([...models, [type, declared]]) })
      expect(entities.folded().size).toBe(0)
      await entities.fold(commits)
      expect((await entities.open(key)).mirror).toMatchObject({ title: 'newer' })
      expect(entities.isIncomplete(key)).toBe(false)
    },
  )

  test('what can be ignored is ignored, and nothing is incomplete', async () => {
    const [section] = (await remote(1, ['row/a'])).sections
    const ignorable = { extensions: [[1, null]] as const }
    const commit = withSections(1, [{ ...section!, ...ignorable }])
    await entities.fold([{ ...commit, header: { ...commit.header, ...ignorable } }])
    expect(await titles('row')).toEqual(['a=v1'])
    expect(entities.isIncomplete(keyOf('row/a'))).toBe(false)
  })

  test('a change of an entity whose id has control characters has no effect, in any version', async () => {
    const body = await remoteBody(originOf(1), (h) => h.title.set('x'))
    const bad = [
      'a\0b',
      'a\nb',
      'a\u007F',
      'a\u0085',
      'a\u2028',
      'a\u202Eb',
      '\u2066a',
      '\u200F',
      '\u061C',
      '..',
      '../../a',
      'a\\..',
    ]
    const good = ['a\uFEFF', '..a/...', 'e\u0301', '👍', '__proto__', 'a b']
    const told: string[] = []
    await reopen({ onVoid: (key) => told.push(key) })
    for (const type of ['row', 'page']) {
      const seq = type === 'row' ? 1 : 2
      const sections = [...bad, ...good].map((id) => sectionOf(keyOf(`${type}/${id}`), body))
      await entities.fold([withSections(seq, sections)])
      expect((await entities.list(type)).map(({ id }) => id).sort()).toEqual([...good].sort())
      await reopen({ onVoid: (key) => told.push(key) })
      expect((await entities.list(type)).map(({ id }) => id).sort()).toEqual([...good].sort())
    }
    expect(told).toEqual(['row', 'page'].flatMap((type) => bad.map((id) => `${type}/${id}`)))
  })

  test('void bodies are reported and have no effect: bad bytes, version 0, a second section on one entity', async () => {
    const told: string[] = []
    const traced: string[] = []
    await reopen({
      onVoid: (key, { seq }) => told.push(`${key} ${seq}`),
      trace: traceTo({ 'body.void': ({ entity, seq }) => traced.push(`${String(entity)} ${seq}`) }),
    })
    const body = await remoteBody(originOf(1), (h) => h.title.set('x'))
    const a = keyOf('row/a')
    await entities.fold([
      withSections(1, [sectionOf(a, body), sectionOf(keyOf('row/b'), body), sectionOf(a, body)]),
      withSections(2, [sectionOf(a, Uint8Array.of(1, 2)), sectionOf(keyOf('row/b'), body, 0)]),
    ])
    expect(told.sort()).toEqual(['row/a 1', 'row/a 2', 'row/b 2'])
    expect(traced.sort()).toEqual(told)
    expect(await titles('row')).toEqual(['a=x', 'b=x'])
  })

  test('a damaged row makes only its own entity unreadable', async () => {
    await entities.fold([await remote(1, ['row/a', 'row/b', 'page/a'])])
    await entities.open(keyOf('page/a'))
    await entities.close()
    for (const key of [rowKey(keyOf('row/a')), rowKey(keyOf('page/a'))]) {
      await store.write([{ key, value: Uint8Array.of(1) }], 'synced')
    }
    const traced: unknown[] = []
    const trace = traceTo({ 'entity.unreadable': ({ entity }) => traced.push(entity) })
    entities = await open({ trace })
    await expect(entities.open(keyOf('row/a'))).rejects.toMatchObject({ code: 'unreadable' })
    expect(await entities.fold([await remote(2, ['row/a', 'row/b'])])).toContain('row/b')
    expect(await titles('row')).toEqual(['b=v2'])
    expect((await entities.open(keyOf('page/a'))).mirror).toMatchObject({ title: 'v1' })
    expect(new Set(traced)).toEqual(new Set(['row/a']))
  })

  test('a command of this device shows at once; discarded, it is gone, and what the log holds is back', async () => {
    const key = keyOf('row/a')
    await runOwn(entities, log, originOf(1, 7), [[key, (h) => h.title.set('kept')]])
    await entities.flush()
    let isLost = false
    await reopen({
      settled: async () => {
        if (isLost) throw new Error('the log lost commits')
      },
    })
    await runOwn(entities, new HeldLog(store), originOf(2, 7), [[key, (h) => h.title.set('lost')]])
    const flushing = entities.flush()
    isLost = true
    await expect(flushing).rejects.toThrow('the log lost commits')
    expect((await entities.open(key)).mirror).toMatchObject({ title: 'lost' })
    await entities.discard()
    isLost = false
    expect([...entities.folded()]).toEqual([[sessionId(7), 1]])
    expect((await entities.open(key)).mirror).toMatchObject({ title: 'kept' })
    await reopen()
    expect(await titles('row')).toEqual(['a=kept'])
  })

  test('a discard aborts a flush that waits, and keeps commands of the next session', async () => {
    const key = keyOf('row/a')
    const page = keyOf('page/a')
    const waiting: (() => void)[] = []
    let isHeldUp = true
    const settled = async (): Promise<void> => {
      if (isHeldUp) await new Promise<void>((resolve) => waiting.push(resolve))
    }
    await reopen({ settled })
    await runOwn(entities, log, originOf(1, 7), [[key, (h) => h.title.set('lost')]])
    const states = await entities.openAll([key, page])
    const flushing = entities.flush()
    await expect.poll(() => waiting.length).toBe(1)
    const discarding = entities.discard()
    isHeldUp = false
    waiting[0]!()
    const bodies = states.map((state) => writeTitle(state, originOf(1, 8), 'next'))
    entities.touch(key, bodyOf(originOf(1, 8), bodies[0]!))
    entities.touch(page, bodyOf(originOf(1, 8), bodies[1]!))
    await Promise.all([flushing, discarding])
    entities.commitFolded(sessionId(8), 1)
    await entities.flush()
    expect([...entities.folded()]).toEqual([[sessionId(8), 1]])
    expect(await titles('row')).toEqual(['a=next'])
    expect(await titles('page')).toEqual(['a=next'])
  })

  test('a discard of rows begins from nothing, and keeps commands of the next session', async () => {
    const key = keyOf('row/a')
    const page = keyOf('page/a')
    await entities.fold([await remote(1, ['row/a', 'page/a', 'row/b'])])
    await runOwn(entities, log, originOf(1, 7), [[key, (h) => h.title.set('before')]])
    const states = await entities.openAll([key, page])
    await entities.flush()
    const discarding = entities.discard({ rows: true })
    for (const [index, each] of [key, page].entries()) {
      const origin = originOf(1, 8)
      entities.touch(each, bodyOf(origin, writeTitle(states[index]!, origin, 'next')))
    }
    entities.commitFolded(sessionId(8), 1)
    await discarding
    expect([...entities.folded()]).toEqual([[sessionId(8), 1]])
    await entities.flush()
    await reopen()
    expect([...entities.folded()]).toEqual([[sessionId(8), 1]])
    expect(await titles('row')).toEqual(['a=next'])
    expect(await titles('page')).toEqual(['a=next'])
  })

  test('rows change memory only as far as entities are kept there', async () => {
    const ids = Array.from({ length: limits.openEntities + 50 }, (_, i) => `${i}`)
    for (const [i, id] of ids.entries()) await entities.fold([await remote(i + 1, [`row/${id}`])])
    const pinned = keyOf('row/0')
    entities.pin(pinned)
    const first = await entities.open(pinned)
    const second = await entities.open(keyOf('row/1'))
    await entities.flush()
    for (const id of ids.slice(2)) await entities.open(keyOf(`row/${id}`))
    expect(await entities.open(pinned)).toBe(first)
    expect(await entities.open(keyOf('row/1'))).not.toBe(second)
    expect((await entities.open(keyOf('row/1'))).mirror).toEqual(second.mirror)
  })

  test('a command on a state that left memory meanwhile is not lost', async () => {
    const key = keyOf('row/a')
    const origin = originOf(1, 7)
    const state = await entities.open(key)
    const body = writeTitle(state, origin, 'late')
    await reopen()
    entities.touch(key, bodyOf(origin, body))
    entities.commitFolded(origin.session, 1)
    await entities.flush()
    expect((await entities.open(key)).mirror).toMatchObject({ title: 'late' })
    await reopen()
    expect(await titles('row')).toEqual(['a=late'])
  })

  test.each(['row', 'page'])(
    'a deleted %s stays deleted over a restart, and comes back as a whole with a change that the deletion did not see',
    async (type) => {
      const key = keyOf(`${type}/a`)
      await entities.fold([await remote(1, [`${type}/a`, `${type}/b`])])
      await entities.flush()
      const own = originOf(1, 7)
      const draft = (await entities.open(key)).begin(own)
      draft.delete()
      const body = draft.finish()!
      log.append(commitOf(own, [sectionOf(key, body)]))
      entities.touch(key, bodyOf(own, body))
      entities.commitFolded(own.session, own.seq)
      await entities.flush()
      await reopen()
      expect(await titles(type)).toEqual(['b=v1'])
      expect(await store.get(rowKey(key))).toBeUndefined()
      expect((await entities.open(key)).exists).toBe(false)

      const origin = originOf(1, 2)
      const late = await remoteBody(origin, (h) => h.counts.get('x').increment(1))
      await entities.fold([commitOf(origin, [sectionOf(key, late)])])
      expect((await entities.open(key)).mirror).toEqual({ title: 'v1', counts: { x: 1 } })
      await entities.flush()
      const absent = type === 'row' ? await store.get(absentKey(key)) : undefined
      expect(absent).toBeUndefined()
      await reopen()
      expect(await titles(type)).toEqual(['a=v1', 'b=v1'])
    },
  )

  test('refuse everything once closed', async () => {
    await entities.close()
    await entities.close()
    await expect(entities.open(keyOf('row/a'))).rejects.toMatchObject({ code: 'closed' })
    await expect(entities.fold([])).rejects.toMatchObject({ code: 'closed' })
    await expect(entities.list('row')).rejects.toMatchObject({ code: 'closed' })
    expect(scheduler.size).toBe(0)
  })
})

describe('entities that are folded when opened', () => {
  const page = keyOf('page/a')
  const waiting = async (): Promise<number> => (await store.scan(waitingKeys(page))).length

  test('keep bodies until somebody opens or lists them, and show the same as those folded at once', async () => {
    await entities.fold([await remote(1, ['page/a', 'row/a'])])
    await entities.flush()
    expect(await waiting()).toBe(1)
    await reopen()
    await entities.fold([await remote(2, ['page/a', 'row/a'])])
    const [one, other] = await entities.openAll([page, keyOf('row/a')])
    expect(one!.snapshot()).toEqual(other!.snapshot())
    await reopen()
    expect(await titles('page')).toEqual(['a=v2'])
    expect((await entities.open(page)).snapshot()).toEqual(other!.snapshot())
  })

  test('become a snapshot when 256 bodies wait', async () => {
    await entities.open(page)
    for (let seq = 1; seq <= 255; seq++) await entities.fold([await remote(seq, ['page/a'])])
    await entities.flush()
    expect(await waiting()).toBe(255)
    expect(await store.get(snapshotKey(page))).toBeUndefined()
    await entities.fold([await remote(256, ['page/a'])])
    await entities.flush()
    expect(await waiting()).toBe(0)
    await entities.fold([await remote(257, ['page/a'])])
    await reopen()
    expect(await waiting()).toBe(1)
    expect((await entities.open(page)).mirror).toMatchObject({ title: 'v257' })
  })

  test('become a snapshot before they leave memory', async () => {
    await entities.fold([await remote(1, ['page/a'])])
    await entities.open(page)
    await entities.flush()
    for (let i = 0; i <= limits.openEntities; i++) await entities.open(keyOf(`row/${i}`))
    await entities.flush()
    expect(await waiting()).toBe(0)
    expect((await entities.open(page)).mirror).toMatchObject({ title: 'v1' })
  })

  test('that fail are loaded again, without holding up the others', async () => {
    const { load } = models.get('page')!
    let isDead = false
    const failing = async (): Promise<StateModel> => {
      const model = await load()
      const open: StateModel['open'] = async (snapshot) => {
        const state = await model.open(snapshot)
        return {
          begin: (origin) => state.begin(origin),
          identify: (body) => state.identify(body),
          fold: (bodies) => state.fold(bodies),
          close: () => state.close(),
          snapshot: () => state.snapshot(),
          version: '',
          problem: undefined,
          skipped: undefined,
          exists: true,
          changedMs: 0,
          size: state.size,
          isLarge: false,
          get mirror() {
            if (isDead) throw new PeerplaneError('unreadable', 'out of memory')
            return state.mirror
          },
        }
      }
      return { ...model, open }
    }
    await reopen({ models: new Map(models).set('page', { ...models.get('page')!, load: failing }) })
    const state = await entities.open(page)
    isDead = true
    await entities.fold([await remote(1, ['page/a', 'page/b', 'row/a'])])
    expect(await titles('page')).toEqual([])
    await entities.flush()
    isDead = false
    expect(await titles('row')).toEqual(['a=v1'])
    expect(await titles('page')).toEqual(['a=v1', 'b=v1'])
    expect(await entities.open(page)).not.toBe(state)
  })

  test('miss no body that is stored while they are being opened', async () => {
    const slow = createMemoryStore()
    const gate = { open: (): void => undefined }
    const stalling: ClearableStore = {
      ...slow,
      clear: (range) => clearRange(slow, range),
      get: async (key) => {
        if (key[0] === 0x21) await new Promise<void>((resolve) => (gate.open = resolve))
        return slow.get(key)
      },
    }
    await reopen({ store: stalling })
    await entities.fold([await remote(1, ['page/a'])])
    const opening = entities.open(page)
    await entities.flush()
    await entities.fold([await remote(2, ['page/a'])])
    gate.open()
    expect((await opening).mirror).toMatchObject({ title: 'v2' })
    await entities.flush()
    expect((await slow.scan(waitingKeys(page))).length).toBe(2)
  })
})

function writeTitle(state: EntityState, origin: Origin, title: string): Uint8Array {
  const draft = state.begin(origin)
  const handle = draft.handle as Handle
  handle.title.set(title)
  return draft.finish()!
}
