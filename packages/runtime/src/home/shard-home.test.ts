import {
  counter,
  document,
  entity,
  events,
  limits,
  map,
  record,
  register,
  Rejected,
  value,
  vote,
  type DeviceId,
  type Entity,
  type Json,
  type SessionId,
} from '@peerplane/core'
import { journalContract, ManualClock, seededRandom } from '@peerplane/core/testing'
import { describe, expect, test } from 'vitest'

import { systemScheduler } from '../adapters/scheduler.ts'
import type { StrongAnswer, StrongCommand } from './questions.ts'
import { ShardHome } from './shard-home.ts'
import { SimulatedDatabase, type JournalFault } from './simulated-journal.fixture.test.ts'

const journalId = '0a'.repeat(16)
const ada = 'ad'.repeat(32) as DeviceId
const bob = 'b0'.repeat(32) as DeviceId
const SHARD = 7

const Stock = entity('stock', {
  state: record({ left: counter(), sold: map(counter()), note: register('') }),
  commands: {
    fill: (stock, by: number) => stock.left.increment(by),
    sell(stock, to: string) {
      if (stock.left.value < 1) throw new Rejected('sold-out', 'nothing is left')
      stock.left.decrement()
      stock.sold.get(to).increment()
      return stock.left.value
    },
    look: (stock) => stock.left.value,
    who: (_stock, _input: null, { device }) => device,
    fail: () => {
      throw new Error('a bug')
    },
  },
})
const Seat = entity('seat', {
  state: value<{ holder: string | null }>({ holder: null }),
  commands: {
    take(seat, who: string) {
      if (seat.value.holder !== null) throw new Rejected('taken', seat.value.holder)
      seat.set({ holder: who })
    },
  },
})
const Cart = entity('cart', {
  state: events([] as readonly string[], { added: (items, sku: string) => [...items, sku] }),
  commands: { add: (cart, sku: string) => cart.emit('added', sku) },
})
const entities = [Stock, Seat, Cart] as readonly Entity[]

journalContract('simulated', async () => {
  const clock = new ManualClock(1_000)
  const random = seededRandom(1)
  const id = [...random.bytes(16)].map((byte) => byte.toString(16).padStart(2, '0')).join('')
  const database = new SimulatedDatabase(
    journalsMade++ === 0 ? id : id.replace(/^../, 'ff'),
    clock,
    random,
  )
  return {
    open: async () => database.open(),
    pass: async (ms) => {
      clock.ms += ms
    },
  }
})
let journalsMade = 0

describe('a home', () => {
  test('decides commands of all callers in one order, and a read sees all of them', async () => {
    const { home, caller } = world()
    const [a, b] = [caller(ada), caller(bob)]
    expect(await home.ask(a('stock', 'fill', 3))).toEqual(ok(1))
    const answers = await Promise.all([
      home.ask(a('stock', 'sell', 'ada')),
      home.ask(b('stock', 'sell', 'bob')),
      home.ask(a('stock', 'sell', 'ada')),
      home.ask(b('stock', 'sell', 'bob')),
    ])
    expect(answers).toEqual([ok(2, 2), ok(3, 1), ok(4, 0), rejected(4, 'sold-out')])
    expect(await home.read('stock', 'x')).toEqual({
      outcome: 'state',
      number: 4,
      state: { left: 0, sold: { ada: 2, bob: 1 }, note: '' },
    })
    expect(await home.ask(b('stock', 'who', null))).toEqual(ok(4, bob))
  })

  test('other callers continue a value and events, because the journal writes them all', async () => {
    const { home, caller, restart } = world()
    const [a, b] = [caller(ada), caller(bob)]
    expect(await home.ask(a('seat', 'take', 'ada'))).toEqual(ok(1))
    expect(await home.ask(b('seat', 'take', 'bob'))).toEqual(rejected(1, 'taken'))
    await home.ask(a('cart', 'add', 'tea'))
    await home.ask(b('cart', 'add', 'milk'))
    const again = await restart()
    await again.ask(a('cart', 'add', 'cups'))
    expect(await again.read('cart', 'x')).toMatchObject({
      number: 3,
      state: ['tea', 'milk', 'cups'],
    })
  })

  test('a repeated command gets the first decision, also after a restart, until it is confirmed', async () => {
    const { home, caller, restart } = world()
    const a = caller(ada)
    await home.ask(a('stock', 'fill', 1))
    const sell = a('stock', 'sell', 'ada')
    const both = await Promise.all([home.ask(sell), home.ask(sell)])
    expect(both).toEqual([ok(2, 0), ok(2, 0)])
    const again = await restart()
    expect(await again.ask(sell)).toEqual(ok(2, 0))
    expect(await again.ask({ ...sell, input: 'bob' })).toEqual({ outcome: 'misused' })
    expect(await again.ask({ ...a('stock', 'look'), known: sell.n })).toEqual(ok(2, 0))
    expect(await again.ask(sell)).toEqual({ outcome: 'executed' })
    expect(await (await restart()).ask(sell)).toEqual({ outcome: 'executed' })
  })

  test('a rejection and a failure are decisions, too', async () => {
    const { home, caller, restart } = world()
    const a = caller(ada)
    const sell = a('stock', 'sell', 'ada')
    const fail = a('stock', 'fail')
    expect(await home.ask(sell)).toEqual(rejected(0, 'sold-out'))
    expect(await home.ask(fail)).toMatchObject({ outcome: 'failed', code: 'handler-failed' })
    await home.ask(a('stock', 'fill', 5))
    const again = await restart()
    expect(await again.ask(sell)).toEqual(rejected(0, 'sold-out'))
    expect(await again.ask(fail)).toMatchObject({ outcome: 'failed' })
  })

  test('commands of one caller are decided in their order', async () => {
    const { home, caller } = world()
    const a = caller(ada)
    const [fill, sell] = [a('stock', 'fill', 1), a('stock', 'sell', 'ada')]
    expect(await home.ask(sell)).toEqual({ outcome: 'early' })
    await home.ask(fill)
    expect(await home.ask(sell)).toEqual(ok(2, 0))
  })

  test('a command that the app of the home lacks is not decided', async () => {
    const { home, caller, restart } = world()
    const a = caller(ada)
    const sell = a('stock', 'sell', 'ada')
    const unknown = { ...sell, command: 'sellTwo' }
    expect(await home.ask(unknown)).toMatchObject({ outcome: 'unavailable' })
    expect(await home.ask({ ...sell, type: 'shop' })).toMatchObject({ outcome: 'unavailable' })
    expect(await (await restart()).ask(sell)).toEqual(rejected(0, 'sold-out'))
  })

  test('no answer leaves before the append has ended, and fenced homes answer nothing', async () => {
    const { home, caller, database, clock, newHome } = world()
    const a = caller(ada)
    await home.ask(a('stock', 'fill', 1))
    let go: (fault: JournalFault) => void = () => undefined
    database.fault = () => new Promise((resolve) => (go = resolve))
    const answers: StrongAnswer[] = []
    const sell = a('stock', 'sell', 'ada')
    const pending = [home.ask(sell)].map(async (each) => answers.push(await each))
    await turns()
    pending.push(...[home.read('stock', 'x')].map(async (each) => answers.push(await each)))
    await turns()
    expect(answers).toEqual([])

    // The home was paused for longer than its lease.
    clock.ms += limits.leaseMs + 1
    database.fault = () => undefined
    const next = newHome('next')
    expect(await next.ask(caller(bob)('stock', 'sell', 'bob'))).toEqual(ok(2, 0))
    go(undefined)
    await Promise.all(pending)
    const elsewhere = { outcome: 'elsewhere' }
    expect(answers).toMatchObject([elsewhere, { outcome: 'elsewhere', holder: 'next' }])
    expect(await next.ask(sell)).toEqual(rejected(2, 'sold-out'))
  })

  test('a home whose clock stands still answers nothing from its memory after its lease', async () => {
    const { caller, clock, newHome } = world()
    const a = caller(ada)
    const sell = a('stock', 'sell', 'ada')
    const questions: ((home: ShardHome) => Promise<StrongAnswer>)[] = [
      (home) => home.read('stock', 'x'),
      (home) => home.ask(sell),
      (home) => home.ask(a('stock', 'look')),
      (home) => home.ask(a('stock', 'sell', 'ada')),
    ]
    for (const question of questions) {
      const old = newHome('old', entities, new ManualClock(clock.ms))
      expect(await old.ask(sell)).toEqual(rejected(0, 'sold-out'))
      clock.ms += limits.leaseMs + 1
      const next = newHome('next')
      expect(await next.read('stock', 'x')).toMatchObject({ outcome: 'state' })
      expect(await question(old)).toMatchObject({ outcome: 'elsewhere' })
      await next.close()
    }
  })

  test.each(['lost-before', 'lost-after'] as const)(
    'a command whose append is %s is executed once when it is asked again',
    async (fault) => {
      const { home, caller, database } = world()
      const a = caller(ada)
      await home.ask(a('stock', 'fill', 2))
      const sell = a('stock', 'sell', 'ada')
      database.fault = () => fault
      expect(await home.ask(sell)).toMatchObject({ outcome: 'unavailable' })
      database.fault = () => undefined
      expect(await home.ask(sell)).toEqual(ok(2, 1))
      expect(await home.read('stock', 'x')).toMatchObject({ number: 2, state: { left: 1 } })
    },
  )

  test('a new home reads the snapshot and only the events after it', async () => {
    const { home, caller, database, restart } = world()
    const a = caller(ada)
    for (let i = 0; i < limits.snapshotEvents + 20; i++) {
      const command = a('stock', 'fill', 1)
      await home.ask({ ...command, known: command.n - 1 })
    }
    database.eventsRead = 0
    const again = await restart()
    const number = limits.snapshotEvents + 20
    expect(await again.read('stock', 'x')).toMatchObject({ number, state: { left: number } })
    expect(database.eventsRead).toBe(20)
  })

  test('a caller that confirms nothing, and too many questions at once, wait', async () => {
    const { home, caller } = world()
    const a = caller(ada)
    const commands = Array.from({ length: limits.unconfirmedOutcomes + 1 }, () =>
      a('stock', 'look'),
    )
    const answers = await Promise.all(commands.map((command) => home.ask(command)))
    expect(answers.slice(0, -1).every(({ outcome }) => outcome === 'ok')).toBe(true)
    const last = commands.at(-1)!
    expect(answers.at(-1)).toMatchObject({ outcome: 'unavailable' })
    expect(await home.ask(commands[0]!)).toEqual(ok(0, 0))
    expect(await home.ask({ ...last, known: 1 })).toEqual(ok(0, 0))

    const reads = Array.from({ length: limits.homeQueue + 100 }, () => home.read('stock', 'x'))
    const outcomes = (await Promise.all(reads)).map(({ outcome }) => outcome)
    expect(outcomes.slice(0, limits.homeQueue)).not.toContain('unavailable')
    expect(outcomes.slice(-90).every((outcome) => outcome === 'unavailable')).toBe(true)
  })

  test('a closed home frees its shard, and documents and votes cannot be strong', async () => {
    const { home, caller, newHome } = world()
    const a = caller(ada)
    await home.ask(a('stock', 'fill', 1))
    await home.close()
    await home.close()
    expect(await home.read('stock', 'x')).toMatchObject({ outcome: 'elsewhere' })
    expect(await newHome('next').ask(a('stock', 'sell', 'ada'))).toEqual(ok(2, 0))
    for (const state of [document({ text: '' }), record({ all: map(record({ votes: vote() })) })]) {
      const wrong = entity('wrong', { state, commands: {} }) as Entity
      expect(() => newHome('wrong', [wrong])).toThrow(/cannot be strong/)
    }
  })

  test('with two homes and lost answers, each command is executed once', async () => {
    for (let seed = 1; seed <= 20; seed++) await campaign(seed)
  })
})

/** Two homes that take the shard from each other, and callers that ask until they get a decision. */
async function campaign(seed: number): Promise<void> {
  const { clock, database, caller, newHome } = world(seed)
  const random = seededRandom(seed)
  const chance = (of: number): boolean => random.bytes(1)[0]! < 256 / of
  database.fault = async () => {
    if (chance(4)) clock.ms += limits.leaseMs
    await turns(random.bytes(1)[0]! % 4)
    return chance(6) ? 'lost-before' : chance(6) ? 'lost-after' : undefined
  }
  const homes = [newHome('one'), newHome('two')]
  const fill = caller(ada)('stock', 'fill', 20)
  const decide = async (command: StrongCommand): Promise<StrongAnswer> => {
    for (let tries = 0; tries < 1_000; tries++) {
      const answer = await homes[random.bytes(1)[0]! % 2]!.ask(command)
      if (answer.outcome !== 'elsewhere' && answer.outcome !== 'unavailable') return answer
      clock.ms += 1_000
    }
    throw new Error('no decision')
  }
  await decide(fill)
  const callers = Array.from({ length: 4 }, async (_, i) => {
    const next = caller(bob)
    const answers: StrongAnswer[] = []
    for (let n = 0; n < 6; n++) answers.push(await decide(next('stock', 'sell', `caller ${i}`)))
    return answers
  })
  const answers = (await Promise.all(callers)).flat()
  const sold = answers.filter(({ outcome }) => outcome === 'ok')
  database.fault = () => undefined
  clock.ms += limits.leaseMs
  const last = await newHome('judge').read('stock', 'x')
  expect(last, `seed ${seed}`).toMatchObject({ outcome: 'state', number: 21, state: { left: 0 } })
  expect(sold.length, `seed ${seed}`).toBe(20)
  const left = sold.map((answer) => ('reply' in answer ? answer.reply : undefined))
  expect(new Set(left).size).toBe(20)
}

/** One shard of a simulated journal, with a home. */
function world(seed = 1) {
  const clock = new ManualClock(1_000)
  const random = seededRandom(seed)
  const database = new SimulatedDatabase(journalId, clock, random)
  const newHome = (holder: string, declared = entities, own = clock): ShardHome => {
    const platform = { clock: own, random, scheduler: systemScheduler }
    return new ShardHome(
      { journal: database.open(), holder, entities: declared, ...platform },
      SHARD,
    )
  }
  let outboxes = 0
  /** The commands of one outbox, on one entity of each type. */
  const caller = (device: DeviceId) => {
    const outbox = `${++outboxes}`.padStart(32, '0') as SessionId
    let n = 0
    const previous = new Map<string, number>()
    return (type: string, command: string, input?: Json): StrongCommand => {
      const before = previous.get(type) ?? 0
      previous.set(type, ++n)
      return { device, outbox, n, previous: before, known: 0, type, id: 'x', command, input }
    }
  }
  let home = newHome('first')
  const restart = async (): Promise<ShardHome> => {
    await home.close()
    home = newHome('again')
    return home
  }
  return { clock, database, caller, newHome, restart, home }
}

const ok = (number: number, reply?: Json): StrongAnswer => ({ outcome: 'ok', number, reply })
const rejected = (number: number, code: string): unknown =>
  expect.objectContaining({ outcome: 'rejected', number, code })

async function turns(count = 50): Promise<void> {
  for (let i = 0; i < count; i++) await Promise.resolve()
}
