import { createHook } from 'node:async_hooks'
import { once } from 'node:events'
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { createServer, type AddressInfo, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import type { Trace } from '@peerplane/core'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'

import { resolveConfig, type Config } from '../config.ts'
import { open } from '../open.ts'
import { startDaemon } from './up.ts'

vi.setConfig({ testTimeout: 60_000 })

let root: string
const servers: Server[] = []
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'peerplane-'))
})
afterEach(async () => {
  for (const server of servers.splice(0)) server.close()
  rmSync(root, { recursive: true })
})

/** A port that another program has. */
async function takenPort(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1')
  servers.push(server)
  await once(server, 'listening')
  return String((server.address() as AddressInfo).port)
}

function configOf(flags: Readonly<Record<string, string>> = {}): Config {
  const served = join(root, 'served')
  mkdirSync(served, { recursive: true })
  return resolveConfig({
    flags: {
      data: join(root, 'data'),
      space: 's',
      host: '127.0.0.1',
      port: '0',
      'tcp-port': '0',
      'http-port': '0',
      serve: served,
      ...flags,
    },
    environment: {},
    file: undefined,
  })
}

/** Sockets and files below the root that are open. */
function handles(): readonly string[] {
  return readdirSync('/proc/self/fd')
    .flatMap((fd) => {
      try {
        return [readlinkSync(`/proc/self/fd/${fd}`)]
      } catch {
        return []
      }
    })
    .filter((path) => path.startsWith('socket:') || path.startsWith(root))
    .sort()
}

/** Runs `task`, and waits until none of its sockets, files and timers is left. */
async function expectNothingLeft(task: () => Promise<void>): Promise<void> {
  const before = handles()
  const timers = new Map<number, string>()
  const hook = createHook({
    init: (id, type) => {
      if (type === 'Timeout') timers.set(id, new Error(type).stack ?? '')
    },
    destroy: (id) => timers.delete(id),
  })
  hook.enable()
  await task()
  // A timer that is cleared is gone in the next turn.
  await new Promise((resolve) => setImmediate(resolve))
  await new Promise((resolve) => setImmediate(resolve))
  hook.disable()
  // All timers of the product; those of libp2p and of the test runner are their own business.
  const ours = [...timers.values()].filter((stack) => stack.includes('adapters/scheduler.ts'))
  const opened = handles().filter((handle) => !before.includes(handle))
  expect({ opened, timers: ours }).toEqual({ opened: [], timers: [] })
}

const never = new AbortController().signal

const store = (): string => join(root, 'data', 's')

/** What keeps a daemon from starting, with the code that says so. */
const failures: readonly (readonly [string, string, () => Promise<Config>])[] = [
  [
    'the data directory is a file',
    'invalid-configuration',
    async () => {
      writeFileSync(join(root, 'data'), '')
      return configOf()
    },
  ],
  [
    'the store is no database',
    'store-corrupt',
    async () => {
      mkdirSync(store(), { recursive: true })
      writeFileSync(join(store(), 'store.db'), 'something else'.repeat(1_000), { mode: 0o600 })
      return configOf()
    },
  ],
  [
    'the witness of the store is left alone',
    'storage-lost',
    async () => {
      mkdirSync(join(store(), 'store.db-witness'), { recursive: true })
      return configOf()
    },
  ],
  ['the port is taken', 'port-in-use', async () => configOf({ port: await takenPort() })],
  [
    'the second port is taken',
    'port-in-use',
    async () => configOf({ 'tcp-port': await takenPort() }),
  ],
  [
    'the port of the pages is taken',
    'port-in-use',
    async () => configOf({ 'http-port': await takenPort() }),
  ],
  [
    'a directory is in the place of the control socket',
    'invalid-configuration',
    async () => {
      mkdirSync(join(store(), 'control.sock'), { recursive: true })
      return configOf()
    },
  ],
]

test.each(failures)(
  'a daemon that fails to start leaves nothing running: %s',
  async (_, code, fail) => {
    const config = await fail()
    const start = (): Promise<void> =>
      expect(startDaemon(config, undefined, never)).rejects.toMatchObject({ code })
    // What is loaded late is loaded.
    await start()
    await expectNothingLeft(start)
  },
)

test('a daemon that is stopped, and one that was connected to it, leave nothing running', async () => {
  const run = async (): Promise<void> => {
    const daemon = await startDaemon(configOf(), undefined, never)
    const invitation = daemon.ready.url!
    const data = mkdtempSync(join(root, 'other-'))
    const other = await open({ entities: [], data, join: invitation })
    const { promise: met, resolve } = Promise.withResolvers<void>()
    other.onStatus(({ peers }) => peers.length > 0 && resolve())
    await met
    await other.close()
    await daemon.stop()
  }
  await run()
  await expectNothingLeft(run)
})

/** The orders that the documentation draws, by what they are of. */
function drawn(): ReadonlyMap<string, readonly string[]> {
  const page = readFileSync(new URL('../../../../docs/architecture.md', import.meta.url), 'utf8')
  const lines = /```text order\n([^`]*)```/.exec(page)![1]!.trim().split('\n')
  return new Map(
    lines.map((line) => {
      const [, name, order] = /^(\w+) +(.*)$/.exec(line)!
      return [name!, order!.split(' → ')]
    }),
  )
}

const stepOf: Trace extends (name: infer Name, fields: infer Fields) => void
  ? (name: Name, fields: Fields) => string
  : never = (name, fields) => ('service' in fields ? `${name}: ${String(fields.service)}` : name)

test('a daemon starts and stops in the order that is documented', async () => {
  const steps: string[] = []
  const trace: Trace = (name, fields) => steps.push(stepOf(name, fields))
  const daemon = await startDaemon(configOf(), trace, never)
  await daemon.stop()
  const of = (event: string): readonly string[] =>
    steps.flatMap((step) => (step.startsWith(`${event}: `) ? [step.slice(event.length + 2)] : []))
  const started = of('service.started')
  const stopped = of('service.stopped')
  for (const [, order] of drawn()) {
    expect(started.filter((name) => order.includes(name))).toEqual(order)
    expect(stopped.filter((name) => order.includes(name))).toEqual(order.toReversed())
  }
  expect(started.toSorted()).toEqual([...drawn().values()].flat().toSorted())
})

test('a daemon that is stopped at any moment of its start leaves nothing running', async () => {
  const steps = new Set<string>()
  const daemon = await startDaemon(
    configOf(),
    (name, fields) => steps.add(stepOf(name, fields)),
    never,
  )
  const toReady = [...steps]
  await daemon.stop()
  expect(toReady).toContain('daemon.ready')
  for (const step of toReady) {
    const controller = new AbortController()
    const trace: Trace = (name, fields) => {
      if (stepOf(name, fields) === step) controller.abort()
    }
    await expectNothingLeft(async () => {
      const config = configOf({ data: mkdtempSync(join(root, 'new-')) })
      const starting = startDaemon(config, trace, controller.signal)
      await expect(starting).rejects.toMatchObject({ code: 'closed' })
    })
  }
})
