import {
  counter,
  document,
  entity,
  map,
  record,
  register,
  Rejected,
  type CounterHandle,
} from '@peerplane/core'
import { describe, expect, it } from 'vitest'

import type { EntityClient } from '../plane/client.ts'
import type { Plane } from '../plane/plane.ts'
import type { OpenPlane } from './fixture.ts'

type Client = EntityClient<typeof Account>
type On = Parameters<Parameters<Plane['atomic']>[0]>[0]

/** Misuse of what belongs to one call: all of it is refused with a code, and nothing is changed. */
export function atomicContract(open: OpenPlane): void {
  describe('atomic refuses', () => {
    const misuses: [string, string, (on: On, account: Client, plane: Plane) => unknown][] = [
      ['an async function', 'invalid-input', async (on, account) => on(account).deposit(1)],
      [
        'a thenable',
        'invalid-input',
        (on, account) => {
          on(account).deposit(1)
          return thenable
        },
      ],
      [
        'a generator',
        'invalid-input',
        function* (on, account) {
          yield on(account).deposit(1)
        },
      ],
      [
        'a list of promises',
        'invalid-input',
        (on, account) => [1, 2].map(async (by) => on(account).deposit(by)),
      ],
      [
        'another atomic inside',
        'invalid-input',
        (on, account, plane) => {
          on(account).deposit(1)
          void plane.atomic(() => undefined)
          void account.deposit(1)
        },
      ],
      [
        'a command called on the client itself',
        'invalid-input',
        (on, account) => {
          on(account).deposit(1)
          void account.deposit(1)
        },
      ],
      ['nothing recorded', 'invalid-input', () => undefined],
      ['what is no client', 'invalid-input', (on) => on({} as never)],
      [
        'an input that is refused when it is recorded',
        'invalid-input',
        (on, account) => {
          on(account).deposit(1)
          on(account).deposit(Number.NaN)
        },
      ],
    ]
    it.each(misuses)('every misuse and changes nothing: %s', async (_, code, misuse) => {
      const plane = await open([Account])
      const account = plane.get(Account, 'ada')
      const refused = plane.atomic((on) => misuse(on, account, plane) as undefined)
      await expect(refused).rejects.toMatchObject({ code })
      await expectUnchanged(plane)
    })

    it('a callback that throws, with what it throws', async () => {
      const plane = await open([Account])
      const mistake = new RangeError('of the application')
      const refused = plane.atomic((on) => {
        on(plane.get(Account, 'ada')).deposit(1)
        throw mistake
      })
      await expect(refused).rejects.toBe(mistake)
      await expectUnchanged(plane)
    })

    it('a recorder that is used after its callback has returned, even inside the next call of atomic', async () => {
      const plane = await open([Account])
      const account = plane.get(Account, 'ada')
      const kept: { on?: On; recorder?: { deposit(amount: number): void } } = {}
      await plane.atomic((on) => {
        Object.assign(kept, { on, recorder: on(account) })
        on(account).deposit(0)
      })
      const late = expect.objectContaining({ code: 'invalid-input' })
      expect(() => kept.recorder!.deposit(1)).toThrow(late)
      expect(() => kept.on!(account)).toThrow(late)
      await expect(plane.atomic(() => kept.recorder!.deposit(1))).rejects.toEqual(late)
      await expectUnchanged(plane)
    })

    it('a client of another plane', async () => {
      const [mine, other] = [await open([Account]), await open([Account])]
      const others = other.get(Account, 'ada')
      const refused = mine.atomic((on) => on(others).deposit(1))
      await expect(refused).rejects.toMatchObject({ code: 'invalid-input' })
      await expectUnchanged(mine)
      await expectUnchanged(other)
    })

    it('anything after the plane was closed', async () => {
      const plane = await open([Account])
      const account = plane.get(Account, 'ada')
      await plane.close()
      const refused = plane.atomic((on) => on(account).deposit(1))
      await expect(refused).rejects.toMatchObject({ code: 'closed' })
    })

    it('nothing else afterwards: a refusal leaves no trace', async () => {
      const plane = await open([Account])
      const account = plane.get(Account, 'ada')
      await plane.atomic((async () => undefined) as never).catch(() => undefined)
      await account.deposit(2)
      await plane.atomic((on) => on(account).deposit(3))
      expect(await account.state()).toMatchObject({ balance: 5 })
      await plane.close()
    })
  })

  describe('a handler', () => {
    it.each(['promises', 'thenable', 'generates', 'rejectsLate'] as const)(
      'that is asynchronous or a generator is refused, and changes nothing: %s',
      async (name) => {
        const plane = await open([Account])
        const refused = plane.get(Account, 'ada')[name]()
        await expect(refused).rejects.toMatchObject({ code: 'handler-failed' })
        await expectUnchanged(plane)
      },
    )

    it('cannot use a state after it has returned, or the state of another entity', async () => {
      const plane = await open([Account, Note])
      const [a, b] = [plane.get(Account, 'a'), plane.get(Account, 'b')]
      await a.keep()
      const late = expect.objectContaining({ code: 'handler-failed' })
      expect(() => kept.balance!.value).toThrow(late)
      expect(() => kept.balance!.increment()).toThrow(late)
      const across = plane.atomic((on) => {
        on(a).keep()
        on(b).useKept()
      })
      await expect(across).rejects.toEqual(late)
      const note = plane.get(Note, 'n')
      await expect(
        plane.atomic((on) => {
          on(note).keep()
          on(a).useKeptNote()
        }),
      ).rejects.toEqual(late)
      expect(() => kept.note!.text).toThrow(late)
      await expectUnchanged(plane)
    })

    it('that refuses after others have changed something takes all of it back', async () => {
      const plane = await open([Account])
      const [a, b] = [plane.get(Account, 'a'), plane.get(Account, 'b')]
      const refused = plane.atomic((on) => {
        on(a).deposit(1)
        on(b).deposit(1)
        on(b).refuse()
      })
      await expect(refused).rejects.toMatchObject({ code: 'rejected', rejection: 'no' })
      await expectUnchanged(plane)
    })
  })
}

async function expectUnchanged(plane: Plane): Promise<void> {
  for (const { state } of await plane.list(Account)) expect(state).toEqual(unchanged)
  await plane.close()
}

const kept: { balance?: CounterHandle; note?: { text: string } } = {}

/** Spelled so that nobody awaits it by accident. */
const thenable: unknown = Object.fromEntries(['then'].map((name) => [name, () => undefined]))

const asynchronous = async (account: { balance: CounterHandle }): Promise<void> => {
  account.balance.increment()
  await Promise.resolve()
  account.balance.increment()
}

const unchanged = { balance: 0, owner: '', tags: {} }

const Account = entity('account', {
  state: record({ balance: counter(), owner: register(''), tags: map(counter()) }),
  commands: {
    deposit: (account, amount: number) => account.balance.increment(amount),
    refuse: () => {
      throw new Rejected('no', 'not today')
    },
    promises: asynchronous as (account: { balance: CounterHandle }) => void,
    rejectsLate: (async () => {
      throw new Error('nobody waits for this')
    }) as () => void,
    thenable: (account): void => {
      account.balance.increment()
      return thenable as never
    },
    generates: function* (account: { balance: CounterHandle }) {
      yield account.balance.increment()
    } as (account: { balance: CounterHandle }) => void,
    keep: (account) => {
      kept.balance = account.balance
    },
    useKept: () => kept.balance!.increment(),
    useKeptNote: () => {
      kept.note!.text = 'from elsewhere'
    },
  },
})

const Note = entity('note', {
  state: document({ text: '' }),
  commands: {
    keep: (note) => {
      kept.note = note
    },
  },
})
