import { limits, PeerplaneError } from '@peerplane/core'
import type { Backend, EntityView, LocalBackend, PlaneStatus, Row } from '@peerplane/runtime'

import { Latest } from './latest.ts'
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
import { rowsDelta, type RowsDelta } from './rows-delta.ts'

/** The service of one following tab. */
export interface TabService {
  /** Takes a message that this tab meant for this leader. */
  receive(message: FromTab): void
  /** Ends all watches, those that are yet to be asked for, too. */
  readonly endWatches: () => void
  /** Ends all watches; nothing is answered any more. */
  stop(): void
}

/** Serves `backend` to a tab as the leader of `term`. */
export function serveTab(
  backend: LocalBackend,
  term: number,
  post: (message: FromLeader) => void,
): TabService {
  const watches = new Map<number, Watch>()
  let asked = 0
  let unwatched = false
  let stopped = false

  /** Resolves when the tab has been sent all that its watches have shown. */
  const allSent = async (): Promise<void> => {
    await Promise.all([...watches.values()].map(({ latest }) => latest.sent()))
  }
  const answer = async (id: number, ask: unknown): Promise<void> => {
    let reply: FromLeader
    asked += 1
    try {
      if (asked > limits.tabQueue) {
        throw new PeerplaneError('overloaded', `${limits.tabQueue} requests of this tab wait`)
      }
      const value = await run(backend, readAsk(ask))
      // The effect is shown before it is answered: nothing overtakes on the way to the tab.
      await allSent()
      reply = { kind: 'answer', term, id, value }
    } catch (error) {
      reply = { kind: 'failed', term, id, error: toPortable(error) }
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
        startWatch(backend, readSubject(subject), (view) => post({ kind: 'view', term, id, view })),
      )
    } catch (error) {
      post({ kind: 'failed', term, id, error: toPortable(error) })
    }
  }
  const end = (id: number): void => {
    watches.get(id)?.stop()
    watches.get(id)?.latest.stop()
    watches.delete(id)
  }
  const endWatches = (): void => {
    unwatched = true
    for (const id of watches.keys()) end(id)
  }

  return {
    endWatches,
    receive: (message) => {
      if (stopped) return
      if (message.kind === 'ping') post({ kind: 'alive', term })
      else if (message.kind === 'ask') void answer(message.id, message.ask)
      else if (message.kind === 'watch') watch(message.id, message.subject)
      else if (message.kind === 'seen') watches.get(message.id)?.latest.seen()
      else end(message.id)
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
    case 'outcome':
      return backend.outcome(ask.operationId)
    case 'list':
      return backend.list(ask.type, ask.query)
    case 'invite':
      return backend.invite(ask.hours, ask.trustClock)
    case 'set-online':
      return backend.setOnline(ask.online)
  }
}

interface Watch {
  readonly latest: Pick<Latest<unknown>, 'seen' | 'sent' | 'stop'>
  readonly stop: () => void
}

/** What another tab shows must outlive this one: no view is sent before everything in it is durable. */
function startWatch(backend: LocalBackend, subject: Subject, post: (view: unknown) => void): Watch {
  switch (subject.kind) {
    case 'entity': {
      const latest = new Latest(entityDeltas(post), backend.settled)
      return { latest, stop: backend.watchEntity(subject.type, subject.id, latest.offer) }
    }
    case 'type': {
      const latest = new Latest(rowsDeltas(post), backend.settled)
      return { latest, stop: backend.watchType(subject.type, subject.query, latest.offer) }
    }
    case 'status': {
      const latest = new Latest<PlaneStatus>(post, () => Promise.resolve())
      return { latest, stop: backend.watchStatus(latest.offer) }
    }
  }
}

function entityDeltas(post: (delta: EntityDelta) => void): (view: EntityView) => void {
  let sent: EntityView | undefined
  return (view) => {
    const { state, ...rest } = view
    const delta = sent?.state === state ? rest : view
    sent = view
    post(delta)
  }
}

function rowsDeltas(post: (delta: RowsDelta) => void): (rows: readonly Row[]) => void {
  let sent: readonly Row[] = []
  return (rows) => {
    const delta = rowsDelta(sent, rows)
    sent = rows
    post(delta)
  }
}
