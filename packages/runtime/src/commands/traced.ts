import { isA, PeerplaneError, Rejected, type Clock, type Trace } from '@peerplane/core'

import type { Backend } from '../contract/backend.ts'

type Invoke = Backend['invoke']

/** `invoke`, whose calls and their ends are traced. The caller gets the same promise: it waits no step longer. */
export function traced(invoke: Invoke, trace: Trace | undefined, clock: Clock): Invoke {
  if (!trace) return invoke
  let calls = 0
  return (invocations, options) => {
    const call = ++calls
    const called = clock.now()
    const ms = (): number => clock.now() - called
    const { durability = 'synced', operationId: operation } = options
    const commands = invocations.map(({ type, command }) => `${type}.${command}`).join(' ')
    trace?.('command.called', { call, commands, durability, operation, invocations })
    const outcome = invoke(invocations, options)
    outcome.then(
      ({ commit }) => trace?.('command.settled', { call, commit, ms: ms() }),
      (error: unknown) =>
        trace?.('command.refused', { call, code: refusalOf(error), ms: ms(), error }),
    )
    return outcome
  }
}

/** The code of the application is its own business. */
function refusalOf(error: unknown): string {
  if (isA(Rejected, error)) return 'rejected'
  return isA(PeerplaneError, error) ? error.code : 'handler-failed'
}
