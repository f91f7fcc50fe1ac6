import { PeerplaneError, type Json } from '@peerplane/core'
import type { Backend, EntityView, Outcome, PlaneStatus, Row } from '@peerplane/runtime'

import type { Ask, EntityDelta, FromLeader, FromTab, Subject } from './messages.ts'
import { fromPortable } from './portable-error.ts'
import { applyRowsDelta, type RowsDelta } from './rows-delta.ts'

/** The backend of one leader, as a following tab sees it. */
export interface RemoteBackend extends Omit<Backend, 'close'> {
  /** Takes a message that came from this leader. */
  receive(message: FromLeader): void
}

/**
 * Drives the backend of the leader of `term` over a line. Nothing is repeated and nothing timed here: if the leader dies, open promises stay open.
 *
 * `watchFailed` is told when the leader refuses to show something other than an entity, which has a view that says so.
 */
export function driveRemote(
  term: number,
  post: (message: FromTab) => void,
  watchFailed: (error: PeerplaneError) => void,
): RemoteBackend {
  const asked = new Map<number, PromiseWithResolvers<unknown>>()
  const watched = new Map<number, Watched>()
  let nextId = 0

  const ask = (question: Ask): Promise<unknown> => {
    const id = nextId++
    const answer = Promise.withResolvers<unknown>()
    asked.set(id, answer)
    try {
      post({ kind: 'ask', term, id, ask: question })
    } catch (cause) {
      asked.delete(id)
      answer.reject(new PeerplaneError('invalid-input', 'the input is not JSON', { cause }))
    }
    return answer.promise
  }
  const watch = (subject: Subject, handler: Watched): (() => void) => {
    const id = nextId++
    watched.set(id, handler)
    post({ kind: 'watch', term, id, subject })
    return () => {
      if (watched.delete(id)) post({ kind: 'unwatch', term, id })
    }
  }

  return {
    invoke: async (invocations, options) =>
      (await ask({ kind: 'invoke', invocations, options })) as Outcome,
    outcome: async (operationId) =>
      (await ask({ kind: 'outcome', operationId })) as Outcome | undefined,
    list: async (type, query) => (await ask({ kind: 'list', type, query })) as readonly Row[],
    invite: async (hours, trustClock) =>
      (await ask({ kind: 'invite', hours, trustClock })) as string,
    setOnline: async (online) => {
      await ask({ kind: 'set-online', online })
    },
    // A question is on its way when it is asked.
    hasten: () => undefined,
    watchEntity: (type, id, listener) => watch({ kind: 'entity', type, id }, entityShown(listener)),
    watchType: (type, query, listener) =>
      watch({ kind: 'type', type, query }, rowsShown(listener, watchFailed)),
    watchStatus: (listener) =>
      watch(
        { kind: 'status' },
        { show: (view) => listener(view as PlaneStatus), fail: watchFailed },
      ),
    receive: (message) => {
      if (message.kind === 'answer') {
        asked.get(message.id)?.resolve(message.value)
        asked.delete(message.id)
      } else if (message.kind === 'failed') {
        const error = fromPortable(message.error)
        asked.get(message.id)?.reject(error)
        asked.delete(message.id)
        watched.get(message.id)?.fail(error)
      } else if (message.kind === 'view') {
        const handler = watched.get(message.id)
        if (!handler) return
        // First, so that a listener that throws does not end the views.
        post({ kind: 'seen', term, id: message.id })
        handler.show(message.view)
      }
    },
  }
}

interface Watched {
  show(view: unknown): void
  fail(error: PeerplaneError): void
}

function entityShown(listener: (view: EntityView) => void): Watched {
  let state: Json = null
  return {
    show: (view) => {
      const delta = view as EntityDelta
      if (delta.state !== undefined) state = delta.state
      listener({ ...delta, state })
    },
    fail: ({ code, message }) =>
      listener({
        local: 'unreadable',
        state: null,
        version: '',
        pendingCommands: 0,
        lastError: { code, message },
      }),
  }
}

function rowsShown(
  listener: (rows: readonly Row[]) => void,
  fail: (error: PeerplaneError) => void,
): Watched {
  let rows: readonly Row[] = []
  return {
    show: (view) => {
      rows = applyRowsDelta(rows, view as RowsDelta)
      listener(rows)
    },
    fail,
  }
}
