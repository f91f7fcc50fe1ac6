import { describe, isA, PeerplaneError } from '@peerplane/core'

import { takeInput, versionReader } from '../contract/invocation.ts'
import { takeOptions } from '../contract/options.ts'
import type { Invocation } from '../contract/invocation.ts'

/** What a client stands for. */
export interface ClientTarget {
  readonly type: string
  readonly id: string
  readonly commands: readonly string[]
}

/** Records the commands of atomic commits, one commit at a time. */
export interface AtomicRecorder {
  /**
   * What `callback` records. Throws what it throws, and `invalid-input` if it is asynchronous or returns something: then a part of it may
   * still be to come.
   */
  record(callback: unknown): readonly Invocation[]
  /** Throws `invalid-input` during a recording: what is called would not be a part of the commit. */
  requireNone(): void
}

/** Records commands of the clients that `targetOf` knows. */
export function createAtomicRecorder(
  targetOf: (client: object) => ClientTarget | undefined,
): AtomicRecorder {
  let isRecording = false
  const requireNone = (): void => {
    if (!isRecording) return
    throw invalid('inside atomic, commands are called on what its argument returns: on(client)')
  }
  return {
    requireNone,
    record: (callback) => {
      requireNone()
      if (typeof callback !== 'function') {
        throw invalid(`atomic takes a function, not ${describe(callback)}`)
      }
      const invocations: Invocation[] = []
      let isOpen = true
      const requireOpen = (): void => {
        if (!isOpen) throw invalid('a command was recorded after its atomic had ended')
      }
      const on = (client: unknown): object => {
        requireOpen()
        const target = typeof client === 'object' && client !== null ? targetOf(client) : undefined
        if (target) return recorderOf(target, invocations, requireOpen)
        throw invalid('atomic takes clients that the same plane has given')
      }
      isRecording = true
      let returned: unknown
      try {
        returned = callback(on)
      } finally {
        isRecording = false
        isOpen = false
      }
      if (returned === undefined) return invocations
      // Ignored: its failure is a consequence, and must not end the process.
      if (isA(Promise, returned)) returned.catch(() => undefined)
      throw invalid(
        `what atomic runs is synchronous and returns nothing; it returned ${describe(returned)}`,
      )
    },
  }
}

function recorderOf(
  { type, id, commands }: ClientTarget,
  invocations: Invocation[],
  requireOpen: () => void,
): object {
  const recorders = commands.map((command) => [
    command,
    (input?: unknown, options: unknown = {}): void => {
      requireOpen()
      const { at } = takeOptions<Pick<Invocation, 'at'>>(options, versionReader)
      invocations.push({ type, id, command, input: takeInput(input), at })
    },
  ])
  return Object.freeze(Object.fromEntries(recorders))
}

const invalid = (reason: string): PeerplaneError => new PeerplaneError('invalid-input', reason)
