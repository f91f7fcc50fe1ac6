import { describe, expect, test } from 'vitest'

import { SimClock } from './clock.ts'
import { SimProcess } from './process.ts'
import { TimeQueue } from './queue.ts'
import { SimRandom } from './random.ts'
import { SimWorld } from './world.ts'

describe('virtual time', () => {
  test('events come in the order of their times', async () => {
    const world = new SimWorld(1)
    const seen: number[] = []
    for (const delay of [30, 10, 20]) world.after(delay, () => seen.push(delay))
    await world.run(25)
    expect(seen).toEqual([10, 20])
    expect(world.now).toBe(25)
    await world.run(100)
    expect(seen).toEqual([10, 20, 30])
  })

  test('all promises settle before the next event', async () => {
    const world = new SimWorld(1)
    const seen: string[] = []
    world.after(1, () => {
      void (async () => {
        for (let i = 0; i < 50; i++) await Promise.resolve()
        seen.push('settled')
      })()
    })
    world.after(1.0001, () => seen.push('next'))
    await world.run(10)
    expect(seen).toEqual(['settled', 'next'])
  })

  test('work outside of virtual time is awaited, one piece after the other', async () => {
    const world = new SimWorld(1)
    const seen: string[] = []
    const slow = (name: string, ms: number) =>
      world
        .outside(() => new Promise<void>((resolve) => setTimeout(resolve, ms)))
        .then(() => seen.push(name))
    world.after(1, () => {
      void slow('first', 20)
      void slow('second', 1)
    })
    world.after(2, () => seen.push('next'))
    await world.run(10)
    expect(seen).toEqual(['first', 'second', 'next'])
  })

  test('a cancelled event does not happen', async () => {
    const world = new SimWorld(1)
    let happened = false
    world.after(5, () => (happened = true))()
    await world.run(10)
    expect(happened).toBe(false)
  })
})

describe('processes', () => {
  const boot = (world: SimWorld) => new SimProcess('p', world, new SimClock(world, 0, 1))

  test('a paused process finds its events when it resumes', async () => {
    const world = new SimWorld(1)
    const process = boot(world)
    const seen: [string, number][] = []
    process.after(10, () => seen.push(['a', Math.round(world.now)]))
    process.after(20, () => seen.push(['b', Math.round(world.now)]))
    process.pause(50)
    await world.run(100)
    expect(seen).toEqual([
      ['a', 50],
      ['b', 50],
    ])
  })

  test('nothing happens in a killed process, and no promise of it settles', async () => {
    const world = new SimWorld(1)
    const process = boot(world)
    let happened = false
    process.after(10, () => (happened = true))
    void process
      .promise<void>((resolve) => world.after(10, () => resolve()))
      .then(() => (happened = true))
    process.kill()
    await world.run(100)
    expect(happened).toBe(false)
  })

  test('a clock has an offset, a pace, and jumps', async () => {
    const world = new SimWorld(1)
    const right = new SimClock(world, 0, 1)
    const wrong = new SimClock(world, 5000, 2)
    await world.run(1000)
    expect(wrong.now() - right.now()).toBe(5000 - 500)
    wrong.jump(-5000)
    expect(wrong.now() - right.now()).toBe(-500)
  })
})

describe('randomness', () => {
  test('equal seeds give equal streams, other seeds and purposes others', () => {
    const draw = (random: SimRandom) => Array.from({ length: 5 }, () => random.bits())
    expect(draw(new SimRandom('a'))).toEqual(draw(new SimRandom('a')))
    expect(draw(new SimRandom('a'))).not.toEqual(draw(new SimRandom('b')))
    const parent = new SimRandom('a')
    const stream = draw(parent.stream('x'))
    parent.bits()
    expect(draw(parent.stream('x'))).toEqual(stream)
  })

  test('numbers are spread evenly', () => {
    const random = new SimRandom('even')
    const counts = Array.from({ length: 10 }, () => 0)
    for (let i = 0; i < 10_000; i++) counts[random.below(10)]!++
    for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(150)
  })

  test('the queue gives entries in order', () => {
    const random = new SimRandom('queue')
    const queue = new TimeQueue<{ time: number; tie: number }>()
    for (let i = 0; i < 1000; i++) queue.push({ time: random.below(50), tie: random.bits() })
    let before = queue.pop()!
    for (let next = queue.pop(); next; next = queue.pop()) {
      expect(next.time > before.time || (next.time === before.time && next.tie >= before.tie)).toBe(
        true,
      )
      before = next
    }
  })
})
