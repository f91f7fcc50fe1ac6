import { limits, PeerplaneError } from '@peerplane/core'
import type { Backend, EntityView, Row } from '@peerplane/runtime'

import {
  readAsk,
  readSubject,
  type Ask,
  type EntityDelta,
  type FromLeader,
  type FromTab,
  type Subject,
} from './messages.ts'
import { toPortable } from './portable-error.ts'
import { rowsDelta } from './rows-delta.ts'

/** The service of one following tab. */
export interface TabService {
  /** Takes a message that this tab meant for this leader. */
  receive(message: FromTab): void
  /** Ends all watches, those that are yet to be asked for, too. */
  readonly endWatches: () => void
  /** Ends all watches; nothing is answered any more. */
  stop(): void
}

/** Serves `backend` to a tab as the leader `leader`. */
export function serveTab(
  backend: Backend,
  leader: string,
  post: (message: FromLeader) => void,
): TabService {
  const watches = new Map<number, Watch>()
  let asked = 0
  let unwatched = false
  let stopped = false

  const answer = async (id: number, ask: unknown): Promise<void> => {
    let reply: FromLeader
    asked += 1
    try {
      if (asked > limits.tabQueue) {
        throw new PeerplaneError('overloaded', `${limits.tabQueue} requests of this tab wait`)
      }
      reply = { kind: 'answer', leader, id, value: await run(backend, readAsk(ask)) }
    } catch (error) {
      reply = { kind: 'failed', leader, id, error: toPortable(error) }
    } finally {
      asked -= 1
    }
    // A leader that has begun to leave says nothing: the tab asks the next one, who knows what was done.
    if (!stopped) post(reply)
  }
  const watch = (id: number, subject: unknown): void => {
    if (unwatched || watches.has(id)) return
    try {
      watches.set(
        id,
        startWatch(backend, readSubject(subject), (view) =>
          post({ kind: 'view', leader, id, view }),
        ),
      )
    } catch (error) {
      post({ kind: 'failed', leader, id, error: toPortable(error) })
    }
  }

  const endWatches = (): void => {
    unwatched = true
    for (const { stop } of watches.values()) stop()
    watches.clear()
  }
  return {
    endWatches,
    receive: (message) => {
      if (stopped) return
      if (message.kind === 'ask') void answer(message.id, message.ask)
      else if (message.kind === 'watch') watch(message.id, message.subject)
      else if (message.kind === 'seen') watches.get(message.id)?.seen()
      else {
        watches.get(message.id)?.stop()
        watches.delete(message.id)
      }
    },
    stop: () => {
      stopped = true
      endWatches()
    },
  }
}

function run(backend: Backend, ask: Ask): Promise<unknown> {
  switch (ask.kind) {
    case 'invoke':
      return backend.invoke(ask.invocations, ask.options)
    case 'list':
      return backend.list(ask.type, ask.query)
    case 'invite':
      return backend.invite(ask.hours, ask.trustClock)
    case 'set-online':
      return backend.setOnline(ask.online)
  }
}

interface Watch {
  readonly seen: () => void
  readonly stop: () => void
}

function startWatch(backend: Backend, subject: Subject, post: (view: unknown) => void): Watch {
  switch (subject.kind) {
    case 'entity':
      return entityWatch(backend, subject.type, subject.id, post)
    case 'type':
      return typeWatch(backend, subject, post)
    case 'status': {
      const latest = oneAtATime(post)
      return { seen: latest.seen, stop: backend.watchStatus(latest.offer) }
    }
  }
}

function entityWatch(
  backend: Backend,
  type: string,
  id: string,
  post: (view: unknown) => void,
): Watch {
  let sent: EntityView | undefined
  const latest = oneAtATime<EntityView>((view) => {
    const { state, ...rest } = view
    const delta: EntityDelta = sent?.state === state ? rest : view
    sent = view
    post(delta)
  })
  return { seen: latest.seen, stop: backend.watchEntity(type, id, latest.offer) }
}

function typeWatch(
  backend: Backend,
  { type, query }: Extract<Subject, { kind: 'type' }>,
  post: (view: unknown) => void,
): Watch {
  let sent: readonly Row[] = []
  const latest = oneAtATime<readonly Row[]>((rows) => {
    const delta = rowsDelta(sent, rows)
    sent = rows
    post(delta)
  })
  return { seen: latest.seen, stop: backend.watchType(type, query, latest.offer) }
}

/** Sends one value at a time and, once it was seen, the latest of those that came meanwhile: a slow tab is never flooded. */
function oneAtATime<T>(send: (value: T) => void): {
  readonly offer: (value: T) => void
  readonly seen: () => void
} {
  let waiting: { readonly value: T } | undefined
  let underWay = false
  const next = (): void => {
    underWay = waiting !== undefined
    if (!waiting) return
    const { value } = waiting
    waiting = undefined
    send(value)
  }
  return {
    offer: (value) => {
      waiting = { value }
      if (!underWay) next()
    },
    seen: next,
  }
}
