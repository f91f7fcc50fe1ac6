import { counter, entity, record, type Entity } from '@peerplane/core'
import { afterEach, describe, expect, it } from 'vitest'

import type { LocalBackend } from './backend.ts'
import type { InvokeOptions } from './invocation.ts'
import { createPlane } from '../plane/plane.ts'
import { openAlone, planeContract } from '../testing/index.ts'
import { backendContract, type RemoteBackend } from './backend.ts'
import { Client } from './client.ts'
import type { Authority, Contract } from './contract.ts'
import { number, object, optional, text } from './form.ts'
import { readReply, readRequest } from './messages.ts'
import { Server } from './server.ts'

const state = record({ votes: counter() })
const Tally = entity('tally', { state, commands: { vote: (tally) => tally.votes.increment() } })
const backends: LocalBackend[] = []

afterEach(async () => {
  for (const backend of backends.splice(0)) await backend.close()
})

/** A backend driven over lines of JSON, as over a socket. */
async function openOverJson(
  entities: readonly Entity[],
  authority: Authority = 'manage',
): Promise<{ readonly remote: RemoteBackend; receive(request: unknown): void; sent: unknown[] }> {
  const backend = await openAlone(entities)
  backends.push(backend)
  const sent: unknown[] = []
  const server = new Server({
    contract: backendContract,
    target: backend,
    authority,
    settled: backend.settled,
    post: (reply) => {
      sent.push(reply)
      const line = JSON.stringify(reply)
      queueMicrotask(() => client.receive(readReply(JSON.parse(line))))
    },
  })
  const receive = (request: unknown): void => {
    const line = JSON.stringify(request)
    queueMicrotask(() => server.receive(readRequest(JSON.parse(line))))
  }
  const client: Client<RemoteBackend> = new Client<RemoteBackend>({
    contract: backendContract,
    post: receive,
    refused: (error) => {
      throw error
    },
  })
  return { remote: client.target, receive, sent }
}

planeContract('a client over JSON', async (entities) => {
  const { remote } = await openOverJson(entities)
  const local = backends.at(-1)!
  return createPlane(entities, {
    ...remote,
    hasten: () => undefined,
    close: () => local.close(),
  })
})

describe('what the compiler refuses', () => {
  it('a field that is not carried through', () => {
    interface Wider extends InvokeOptions {
      readonly deadlineMs?: number | undefined
    }
    const durability = optional(text<'memory' | 'local' | 'synced'>())
    const operationId = optional(text())
    // @ts-expect-error deadlineMs has no form.
    expect(object<Wider>({ durability, operationId })).toBeDefined()
    expect(object<Wider>({ durability, operationId, deadlineMs: optional(number) })).toBeDefined()
    // @ts-expect-error A field of another type has another form.
    expect(object<InvokeOptions>({ durability, operationId: optional(number) })).toBeDefined()
  })

  it('a method without an operation, and a parameter that is not carried through', () => {
    type Longer = RemoteBackend & { history(id: string): Promise<readonly string[]> }
    // @ts-expect-error history has no operation.
    const longer: Contract<Longer> = { ...backendContract }
    type List = RemoteBackend['list']
    type Wider = Omit<RemoteBackend, 'list'> & {
      list(...given: [...Parameters<List>, { reverse: boolean }]): ReturnType<List>
    }
    // @ts-expect-error The last parameter has no form.
    const wider: Contract<Wider> = { ...backendContract }
    expect([longer, wider]).toHaveLength(2)
  })
})

describe('what a newer client asks for', () => {
  const vote = { type: 'tally', id: 'a', command: 'vote' }
  const cases: readonly (readonly [string, object])[] = [
    ['another option', { kind: 'ask', operation: 'invoke', given: [[vote], { deadlineMs: 5 }] }],
    [
      'a field of an invocation',
      { kind: 'ask', operation: 'invoke', given: [[{ ...vote, as: 'me' }], {}] },
    ],
    [
      'another durability',
      { kind: 'ask', operation: 'invoke', given: [[vote], { durability: 'anchored' }] },
    ],
    ['a field of a query', { kind: 'ask', operation: 'list', given: ['tally', { where: {} }] }],
    ['one more argument', { kind: 'ask', operation: 'list', given: ['tally', {}, {}] }],
    ['another operation', { kind: 'ask', operation: 'history', given: [] }],
    ['another watch', { kind: 'watch', operation: 'watchHistory', given: [] }],
    ['something that everything inherits', { kind: 'ask', operation: 'toString', given: [] }],
  ]
  it.each(cases)('%s is refused as outdated, and nothing is done', async (_, request) => {
    const { remote, receive, sent } = await openOverJson([Tally])
    receive({ ...request, id: 7 })
    await expect
      .poll(() => sent)
      .toMatchObject([{ kind: 'failed', id: 7, error: { code: 'outdated' } }])
    expect(await remote.list('tally', {})).toEqual([])
  })
})

describe('a client that may only read', () => {
  it('is refused the rest', async () => {
    const { remote } = await openOverJson([Tally], 'read')
    const vote = { type: 'tally', id: 'a', command: 'vote' }
    expect(await remote.list('tally', {})).toEqual([])
    await expect(remote.invoke([vote], {})).rejects.toMatchObject({ code: 'not-allowed' })
    await expect(remote.setOnline(false)).rejects.toMatchObject({ code: 'not-allowed' })
    await expect(remote.invite({})).rejects.toMatchObject({ code: 'not-allowed' })
    expect(await remote.list('tally', {})).toEqual([])
  })
})
