import { fromUtf8, utf8, type Store, type Write } from '@peerplane/core'
import {
  storeContract,
  storeCrashContract,
  storeFailureContract,
  type CrashFixture,
} from '@peerplane/core/testing'
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'

import { SimClock } from '../world/clock.ts'
import { SimProcess } from '../world/process.ts'
import { SimWorld } from '../world/world.ts'
import { SimDisk } from './disk.ts'

const worlds: { stopped: boolean }[] = []
afterAll(() => {
  for (const world of worlds) world.stopped = true
})

/** A disk in a world that keeps running until all tests are over. */
function running(seed: number) {
  const { world, disk, boot } = setUp(seed)
  const run = { stopped: false }
  worlds.push(run)
  void (async () => {
    while (!run.stopped) await world.run(world.now + 100)
  })()
  return { disk, boot }
}

storeContract('simulated disk', async () => {
  const { disk, boot } = running(1)
  return { store: disk.open(boot()), reopen: async () => disk.open(boot()) }
})

storeCrashContract('simulated disk', async () => {
  const { disk, boot } = running(2)
  const live = (): CrashFixture => {
    const process = boot()
    const store = disk.open(process)
    return {
      store,
      crash: async () => {
        process.kill()
        disk.crash(false)
        return live()
      },
    }
  }
  return live()
})

storeFailureContract('simulated disk', async () => {
  const { disk, boot } = running(3)
  return {
    store: disk.open(boot()),
    reopen: async () => disk.open(boot()),
    fail: async (write) => {
      disk.weather.errors = 1
      await write().finally(() => {
        disk.weather.errors = 0
      })
    },
  }
})

describe('crashes', () => {
  const last = utf8('last')

  test('what is left is a prefix of the writes that holds all that was acknowledged at its level', async () => {
    const durabilities = fc.array(fc.constantFrom('local' as const, 'synced' as const), {
      minLength: 1,
      maxLength: 20,
    })
    await fc.assert(
      fc.asyncProperty(
        fc.nat(),
        durabilities,
        fc.nat(30),
        fc.boolean(),
        async (seed, levels, time, power) => {
          const { world, disk, boot } = setUp(seed)
          const process = boot()
          const store = disk.open(process)
          let safe = -1
          levels.forEach((level, i) => {
            void store.write([put('last', `${i}`), put(`k${i}`, 'x')], level).then(() => {
              if (level === 'synced' || !power) safe = Math.max(safe, i)
            })
          })
          await world.run(time)
          process.kill()
          disk.crash(power)
          const again = disk.open(boot())
          const found = await finish(world, again.get(last))
          const kept = found ? Number(fromUtf8(found)) : -1
          expect(kept).toBeGreaterThanOrEqual(safe)
          for (let i = 0; i < levels.length; i++) {
            expect((await finish(world, again.get(utf8(`k${i}`)))) !== undefined).toBe(i <= kept)
          }
        },
      ),
      { numRuns: 200 },
    )
  })

  test('nothing is heard of a killed process, not even failures', async () => {
    const { world, disk, boot } = setUp(3)
    const process = boot()
    const store = disk.open(process)
    let heard = false
    const hear = (): void => {
      heard = true
    }
    store.write([put('a', '1')], 'synced').then(hear, hear)
    process.kill()
    disk.crash(true)
    await world.run(10_000)
    expect(heard).toBe(false)
  })
})

describe('failures', () => {
  test('a full disk refuses writes, keeps reads, and works again when there is room', async () => {
    const { world, disk, boot } = setUp(4)
    const store = disk.open(boot())
    await finish(world, store.write([put('a', '1')], 'synced'))
    disk.weather.full = true
    await expect(finish(world, store.write([put('a', '2')], 'synced'))).rejects.toMatchObject({
      code: 'store-full',
    })
    expect(await finish(world, store.get(utf8('a')))).toEqual(utf8('1'))
    disk.weather.full = false
    await finish(world, store.write([put('a', '3')], 'synced'))
    expect(await finish(world, store.get(utf8('a')))).toEqual(utf8('3'))
  })

  test('a failed write is never visible before the next opening, and sometimes is afterwards', async () => {
    const outcomes = new Set<boolean>()
    for (let seed = 0; seed < 20; seed++) {
      const { world, disk, boot } = setUp(seed)
      const store = disk.open(boot())
      disk.weather.errors = 1
      await expect(finish(world, store.write([put('a', '1')], 'local'))).rejects.toMatchObject({
        code: 'store-failed',
      })
      expect(await finish(world, store.get(utf8('a')))).toBeUndefined()
      await finish(world, store.close())
      outcomes.add((await finish(world, disk.open(boot()).get(utf8('a')))) !== undefined)
    }
    expect(outcomes).toEqual(new Set([true, false]))
  })

  test('a copy holds what was acknowledged when it was made, and can be put back', async () => {
    const { world, disk, boot } = setUp(5)
    const store: Store = disk.open(boot())
    await finish(world, store.write([put('a', 'old')], 'local'))
    const copy = disk.copy()
    await finish(world, store.write([put('a', 'new')], 'synced'))
    await finish(world, store.close())
    disk.restore(copy)
    expect(await finish(world, disk.open(boot()).get(utf8('a')))).toEqual(utf8('old'))
  })
})

const put = (key: string, value: string): Write => ({ key: utf8(key), value: utf8(value) })

function setUp(seed: number) {
  const world = new SimWorld(seed)
  const disk = new SimDisk(world, 'test')
  let starts = 0
  const boot = () => new SimProcess(`test.${++starts}`, world, new SimClock(world, 0, 1))
  return { world, disk, boot }
}

async function finish<T>(world: SimWorld, promise: Promise<T>): Promise<T> {
  let settled = false
  const mark = (): void => {
    settled = true
  }
  promise.then(mark, mark)
  await world.run(world.now + 60_000, () => settled)
  return promise
}
