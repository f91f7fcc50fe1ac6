import {
  counter,
  entity,
  limits,
  map,
  record,
  register,
  Rejected,
  type Entity,
  type Store,
} from '@peerplane/core'
import { VirtualTime } from '@peerplane/core/testing'
import { createMemoryStore } from '@peerplane/crdt-store'
import { expect, test, vi } from 'vitest'

import {
  createPlane,
  openRuntime,
  systemClock,
  systemRandom,
  systemScheduler,
  webCrypto,
  type Plane,
  type PlaneStatus,
  type Ports,
} from './index.ts'

const asynchronous = async (): Promise<void> => {}

const Account = entity('account', {
  state: record({ balance: counter(), owner: register('nobody'), tags: map(counter()) }),
  commands: {
    deposit: (account, amount: number) => account.balance.increment(amount),
    withdraw(account, amount: number) {
      if (account.balance.value < amount) {
        throw new Rejected('overdraft', `there are only ${account.balance.value}`)
      }
      account.balance.decrement(amount)
      return account.balance.value
    },
    rename: (account, owner: string) => account.owner.set(owner),
    end: (_, __: undefined, context) => context.delete(),
    nothing: () => 'nothing',
    fails: () => {
      throw new TypeError('a mistake')
    },
    late: asynchronous as () => void,
    tag: (account, tags: string[]) => {
      for (const tag of tags) account.tags.get(tag).increment()
    },
  },
})

const crypto = webCrypto()

const portsOn = async (store: Store): Promise<Ports> => ({
  store,
  key: await crypto.keyFromSeed(systemRandom.bytes(32)),
  crypto,
  random: systemRandom,
  clock: systemClock,
  scheduler: systemScheduler,
})

async function openWith(ports: Ports, entities: readonly Entity[] = [Account]): Promise<Plane> {
  return createPlane(entities, await openRuntime(ports, { entities }))
}

const openOn = async (store: Store, entities?: readonly Entity[]): Promise<Plane> =>
  openWith(await portsOn(store), entities)

test('a command shows its effect, is durable when it resolves, and survives reopening', async () => {
  const store = createMemoryStore()
  const plane = await openOn(store)
  const account = plane.get(Account, 'ada')
  const seen: number[] = []
  account.subscribe(({ balance }) => seen.push(balance))
  const outcome = await account.deposit(10)
  expect(outcome).toEqual({
    commit: expect.stringMatching(/^[0-9a-f]{64}$/),
    durability: 'synced',
    reply: undefined,
  })
  expect(await account.withdraw(3)).toMatchObject({ reply: 7 })
  expect(await account.state()).toEqual({ balance: 7, owner: 'nobody', tags: {} })
  await vi.waitFor(() => expect(seen.at(-1)).toBe(7))
  await plane.close()
})

test('the status counts deleted entities, also after a restart', async () => {
  const disk = createMemoryStore()
  const ports = await portsOn({ ...disk, close: async () => undefined })
  const plane = await openWith(ports)
  for (const id of ['ada', 'bob']) await plane.get(Account, id).deposit(1)
  await plane.get(Account, 'ada').end()
  await plane.close()
  const again = await openWith(ports)
  expect(again.status()!.deleted).toBe(1)
  await again.close()
})

test('entities of a plane expire after the declared time', async () => {
  const Basket = entity('basket', {
    state: counter(),
    expiresAfterMs: 60_000,
    commands: { add: (basket) => basket.increment(1) },
  })
  const time = new VirtualTime()
  const { clock, scheduler } = time
  const ports = { ...(await portsOn(createMemoryStore())), clock, scheduler }
  const plane = await openWith(ports, [Basket])
  await plane.get(Basket, 'a').add()
  await time.pass(59_000)
  expect((await plane.list(Basket)).length).toBe(1)
  await time.pass(20_000)
  expect(await plane.list(Basket)).toEqual([])
  await plane.close()
})

test('a rejection, an exception and an asynchronous handler change nothing', async () => {
  const plane = await openOn(createMemoryStore())
  const account = plane.get(Account, 'ada')
  await account.deposit(1)
  await expect(account.withdraw(2)).rejects.toMatchObject({
    code: 'rejected',
    rejection: 'overdraft',
  })
  await expect(account.fails()).rejects.toMatchObject({ code: 'handler-failed' })
  await expect(account.late()).rejects.toMatchObject({ code: 'handler-failed' })
  expect(await account.nothing()).toMatchObject({ commit: undefined, reply: 'nothing' })
  expect(await account.state()).toMatchObject({ balance: 1 })
  expect(plane.status()!.commits).toBe(1)
  await plane.close()
})

test('an atomic commit has all of its effects or none', async () => {
  const plane = await openOn(createMemoryStore())
  const [from, to] = [plane.get(Account, 'from'), plane.get(Account, 'to')]
  await from.deposit(5)
  await plane.atomic((on) => {
    on(from).withdraw(4)
    on(to).deposit(4)
  })
  await expect(
    plane.atomic((on) => {
      on(to).deposit(4)
      on(from).withdraw(4)
    }),
  ).rejects.toMatchObject({ rejection: 'overdraft' })
  expect((await plane.list(Account)).map(({ id, state }) => [id, state.balance])).toEqual([
    ['from', 1],
    ['to', 4],
  ])
  await plane.close()
})

test('a commit that is too large is refused and leaves no trace', async () => {
  const plane = await openOn(createMemoryStore())
  const account = plane.get(Account, 'ada')
  await account.rename('Ada')
  await expect(account.rename('x'.repeat(100_000))).rejects.toMatchObject({ code: 'too-large' })
  const tags = Array.from({ length: 40_000 }, (_, i) => `${i}`.padStart(40, 'x'))
  await expect(account.tag(tags)).rejects.toMatchObject({ code: 'too-large' })
  expect(await account.state()).toEqual({ balance: 0, owner: 'Ada', tags: {} })
  await account.rename('Ada Lovelace')
  expect(await account.state()).toMatchObject({ owner: 'Ada Lovelace' })
  await plane.close()
})

test('an operation id runs once, also after reopening and for several callers at once', async () => {
  const store = createMemoryStore()
  const ports = await portsOn(store)
  const plane = await openWith(ports)
  const account = plane.get(Account, 'ada')
  const [first, second] = await Promise.all([
    account.deposit(1, { operationId: 'once' }),
    account.deposit(1, { operationId: 'once' }),
  ])
  expect(second).toEqual(first)
  await plane.close()

  const again = await openWith({ ...ports, store: createMemoryStore(store.entries()) })
  expect(await again.get(Account, 'ada').deposit(1, { operationId: 'once' })).toEqual(first)
  expect(await again.get(Account, 'ada').state()).toMatchObject({ balance: 1 })
  await again.close()
})

test('commands on one entity are decided in the order of their calls', async () => {
  const plane = await openOn(createMemoryStore())
  const account = plane.get(Account, 'ada')
  await Promise.all(Array.from({ length: 100 }, (_, i) => account.rename(String(i))))
  expect(await account.state()).toMatchObject({ owner: '99' })
  await plane.close()
})

test('rows follow every change, and end when nobody listens', async () => {
  const plane = await openOn(createMemoryStore())
  const shown: string[][] = []
  const stop = plane.subscribe(Account, (rows) =>
    shown.push(rows.map(({ id, state }) => `${id}:${state.balance}`)),
  )
  await plane.get(Account, 'b').deposit(1)
  await plane.get(Account, 'a').deposit(2)
  await vi.waitFor(() => expect(shown.at(-1)).toEqual(['a:2', 'b:1']))
  stop()
  const before = shown.length
  await plane.get(Account, 'c').deposit(3)
  expect(shown).toHaveLength(before)
  await plane.close()
})

test('an undeclared entity, an invalid id, a repeated declaration and a closed plane each have their own error code', async () => {
  const plane = await openOn(createMemoryStore())
  const Other = entity('other', {
    state: counter(),
    commands: { up: (state) => state.increment() },
  })
  expect(() => plane.get(Other, 'x')).toThrow(expect.objectContaining({ code: 'unknown-entity' }))
  expect(() => plane.get(Account, '')).toThrow(expect.objectContaining({ code: 'invalid-input' }))
  expect(() => plane.get(Account, '\ud800')).toThrow(
    expect.objectContaining({ code: 'invalid-input' }),
  )
  await expect(openOn(createMemoryStore(), [Account, Account])).rejects.toMatchObject({
    code: 'invalid-declaration',
  })
  await plane.close()
  await expect(plane.get(Account, 'x').deposit(1)).rejects.toMatchObject({ code: 'closed' })
})

test('a command that is not declared is refused, and changes nothing', async () => {
  const backend = await openRuntime(await portsOn(createMemoryStore()), { entities: [Account] })
  for (const command of ['transfer', '', 'toString', '__proto__']) {
    await expect(
      backend.invoke([{ type: 'account', id: 'ada', command }], {}),
    ).rejects.toMatchObject({ code: 'unknown-command' })
  }
  const status = await new Promise<PlaneStatus>((resolve) => backend.watchStatus(resolve))
  expect(status.commits).toBe(0)
  await backend.close()
})

test('a space is founded without a network, and an invitation admits a second device to it', async () => {
  const store = createMemoryStore()
  const plane = await openOn(store)
  const invitation = await plane.invite({ hours: 1 })
  const status = await new Promise<PlaneStatus>((resolve) => plane.onStatus(resolve))
  const other = createMemoryStore()
  const ports = await portsOn(other)
  const backend = await openRuntime(ports, {
    entities: [Account],
    join: `https://a.example/#join=${invitation}`,
  })
  const joined = createPlane([Account], backend)
  expect(joined.status()).toMatchObject({ space: status.space, storage: 'ok' })
  expect(joined.status()!.device).not.toBe(status.device)
  await joined.get(Account, 'ada').deposit(1)
  await joined.close()
  await plane.close()

  const stranger = createMemoryStore()
  const late = { ...ports, store: stranger, clock: { now: () => systemClock.now() + 3_600_001 } }
  await expect(openRuntime(late, { entities: [], join: invitation })).rejects.toMatchObject({
    code: 'expired-invitation',
    message: expect.stringContaining('the clock of this device says') as string,
  })
  const third = await openOn(createMemoryStore())
  const elsewhere = await third.invite()
  await third.close()
  await expect(
    openRuntime(
      { ...ports, store: createMemoryStore(other.entries()) },
      { entities: [Account], join: elsewhere },
    ),
  ).rejects.toMatchObject({ code: 'wrong-space' })
})

test('a device issues no invitation if its clock is implausible, unless the caller trusts the clock', async () => {
  const years = 365 * 24 * 3_600_000
  const at = async (store: Store, byMs: number): Promise<Plane> => {
    const ports = await portsOn(store)
    return openWith({ ...ports, clock: { now: () => systemClock.now() + byMs } })
  }
  for (const byMs of [-10 * years, 10 * years]) {
    const plane = await at(createMemoryStore(), byMs)
    const year = new Date(systemClock.now() + byMs).toISOString().slice(0, 5)
    await expect(plane.invite()).rejects.toMatchObject({
      code: 'wrong-clock',
      message: expect.stringContaining(`the clock of this device says ${year}`) as string,
    })
    expect(plane.status()!.clockDoubt).toContain('this program was made')
    // The device that accepts it anyway has another clock.
    const invitation = await plane.invite({ trustClock: true })
    await plane.close()
    await expect(
      openRuntime(await portsOn(createMemoryStore()), { entities: [], join: invitation }),
    ).rejects.toMatchObject({
      code: byMs < 0 ? 'expired-invitation' : 'wrong-clock',
      message: expect.stringContaining(year) as string,
    })
  }
})

test.each([0, -1, Number.NaN, Infinity, 1e300, limits.invitationHours + 1])(
  'an invitation with an invalid duration is refused: %d hours',
  async (hours) => {
    const plane = await openOn(createMemoryStore())
    await expect(plane.invite({ hours })).rejects.toMatchObject({ code: 'invalid-input' })
    await plane.close()
  },
)

test('the status contains every command that was awaited before', async () => {
  const plane = await openOn(createMemoryStore())
  for (let commits = 1; commits <= 20; commits++) {
    await plane.get(Account, `${commits}`).deposit(1)
    expect(plane.status()).toMatchObject({ commits, pendingCommands: 0 })
  }
  const late = plane.get(Account, 'x').deposit(1, { durability: 'memory' })
  expect(plane.status()!.pendingCommands).toBe(1)
  await late
  await plane.close()
  expect(plane.status()!.commits).toBe(21)
})
