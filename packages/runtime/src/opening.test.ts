import {
  counter,
  document,
  entity,
  PeerplaneError,
  type Scheduler,
  type Store,
} from '@peerplane/core'
import { deterministicCrypto, seededRandom, VirtualTime } from '@peerplane/core/testing'
import { createMemoryStore } from '@peerplane/crdt-store'
import { expect, test } from 'vitest'

import { openRuntime, type Ports } from './index.ts'

const Count = entity('count', {
  state: counter(),
  commands: { up: (state) => state.increment(1) },
})
const Note = entity('note', {
  state: document({ text: '' }),
  commands: {
    enter: (note, text: string) => {
      note.text = text
    },
  },
})
const entities = [Count, Note]

/** Virtual time that counts the timers which are set. */
class CountedTime extends VirtualTime {
  readonly set = new Set<object>()
  readonly counted: Scheduler = {
    after: (delayMs, task) => {
      const timer = {}
      this.set.add(timer)
      const cancel = this.scheduler.after(delayMs, () => {
        this.set.delete(timer)
        task()
      })
      return () => {
        this.set.delete(timer)
        cancel()
      }
    },
  }
}

/** A store that counts what is asked of it, and whose operation number `failing` fails. */
function counted(
  inner: Store,
  failing: number,
): { readonly store: Store; readonly asked: () => number } {
  let asked = 0
  const count = <Given extends readonly unknown[], Answer>(
    method: (...given: Given) => Promise<Answer>,
  ) => {
    return async (...given: Given): Promise<Answer> => {
      asked += 1
      if (asked === failing) throw new PeerplaneError('store-failed', `operation ${asked} fails`)
      return method(...given)
    }
  }
  const store: Store = {
    ...inner,
    get: count((key: Uint8Array) => inner.get(key)),
    scan: count((range: Parameters<Store['scan']>[0]) => inner.scan(range)),
    count: count((range: Parameters<Store['count']>[0]) => inner.count(range)),
    write: count((...given: Parameters<Store['write']>) => inner.write(...given)),
  }
  return { store, asked: () => asked }
}

async function portsAt(time: CountedTime, store: Store): Promise<Ports> {
  return {
    store,
    key: await deterministicCrypto.keyFromSeed(new Uint8Array(32)),
    crypto: deterministicCrypto,
    random: seededRandom(1),
    clock: time.clock,
    scheduler: time.counted,
  }
}

/** What a device leaves whose process ends before its rows are written. */
async function leftBehind(): Promise<ReturnType<typeof createMemoryStore>> {
  const time = new CountedTime()
  const store = createMemoryStore()
  const backend = await openRuntime(await portsAt(time, store), { entities })
  const call = (type: string, id: string, command: string, input?: string) =>
    backend.invoke([{ type, id, command, input }], { durability: 'local' })
  await call('note', 'x', 'enter', 'one')
  await call('count', 'x', 'up')
  await time.pass(5_000)
  await call('note', 'x', 'enter', 'two')
  await call('count', 'x', 'up')
  const left = createMemoryStore(store.entries())
  await backend.close()
  return left
}

const openings = {
  'a store that is empty': async () => createMemoryStore(),
  'a store whose process ended before its rows were written': leftBehind,
}

test.each(Object.entries(openings))(
  'an opening leaves nothing running, whichever operation of the store fails: %s',
  async (_, made) => {
    const before = await made()
    const faults: string[] = []
    let failing = 0
    for (let opened = false; !opened;) {
      failing += 1
      const time = new CountedTime()
      const { store, asked } = counted(createMemoryStore(before.entries()), failing)
      const ports = await portsAt(time, store)
      const backend = await openRuntime(ports, { entities, found: true }).catch(() => undefined)
      opened = asked() < failing
      if (backend) {
        await backend.close()
        if (time.set.size > 0) faults.push(`${failing}: ${time.set.size} timers after closing`)
        continue
      }
      if (time.set.size > 0) faults.push(`${failing}: ${time.set.size} timers`)
      const then = asked()
      await time.pass(60_000)
      if (asked() > then) faults.push(`${failing}: asks the store ${asked() - then} times`)
    }
    expect(failing).toBeGreaterThan(5)
    expect(faults).toEqual([])
  },
)
