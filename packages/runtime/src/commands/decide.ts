import {
  asPeerplaneError,
  checkName,
  copyPlain,
  decodeCanonical,
  encodeCanonical,
  entityKey,
  isA,
  PeerplaneError,
  toBase64Url,
  type Command,
  type CommandContext,
  type Draft,
  type Entity,
  type EntityKey,
  type EntityState,
  type Json,
  type Origin,
  type Random,
  type Scheduler,
  type Section,
} from '@peerplane/core'

import { inputBounds } from '../contract/invocation.ts'
import type { Invocation } from '../contract/invocation.ts'
import { isThenable, judge, type Judged } from './judge.ts'

/** A checked invocation: its declaration was found, and its schema judges the input. */
export interface CheckedInvocation {
  readonly key: EntityKey
  readonly id: string
  readonly handler: Command<unknown, unknown, unknown>
  readonly input: Judged
  readonly at: string | undefined
  /** Whether a deletion spares an entity if there are changes that this device has not seen. */
  readonly spares?: boolean
}

/**
 * Finds the handler and has its schema judge the input, at once if the schema can. Throws `unknown-entity`, `unknown-command`,
 * `invalid-input` or `handler-failed`; a promised input rejects with the last two.
 */
export function checkInvocation(
  entities: ReadonlyMap<string, Entity>,
  scheduler: Scheduler,
  { type, id, command, input, at }: Invocation,
): CheckedInvocation {
  const entity = entities.get(type)
  if (!entity) throw new PeerplaneError('unknown-entity', `no entity "${type}" was declared`)
  checkName(id, 'an entity id')
  const commands = entity.commands as Readonly<Record<string, Command<unknown, unknown, unknown>>>
  const handler = Object.hasOwn(commands, command) ? commands[command] : undefined
  if (!handler) {
    throw new PeerplaneError('unknown-command', `entity "${type}" has no command "${command}"`)
  }
  const key = entityKey(type, id)
  const judged = judge(handler, input, `${type}.${command}`, scheduler)
  return { key, id, handler, input: judged, at }
}

/** What handlers decided: nothing is stored yet, but the states already show it. */
export interface Decision {
  readonly replies: readonly (Json | undefined)[]
  readonly sections: readonly Section[]
  /** Takes the changes back from the states, as long as these have not been used again. */
  readonly revert: () => void
}

/** An invocation whose input has passed its schema. */
export type DecidableInvocation = Omit<CheckedInvocation, 'input'> & { readonly input: unknown }

/** Everything a decision depends on. */
export interface DecisionInput {
  readonly invocations: readonly DecidableInvocation[]
  readonly states: ReadonlyMap<EntityKey, EntityState>
  readonly modelVersions: ReadonlyMap<EntityKey, number>
  readonly origin: Origin
  readonly context: Pick<CommandContext, 'device'> & { readonly random: Random }
}

/**
 * Runs the handlers, one after the other, each seeing the changes of those before. Synchronous.
 *
 * Throws what a handler throws, `Rejected` as it is and anything else as `handler-failed`; then all states are as before.
 */
export function decide(input: DecisionInput): Decision {
  const drafts = new Map<EntityKey, Draft>()
  const revert = (): void => {
    for (const draft of drafts.values()) draft.revert()
  }
  try {
    const replies = input.invocations.map((invocation) => runHandler(input, drafts, invocation))
    const sections: Section[] = []
    for (const [key, draft] of drafts) {
      const body = draft.finish()
      if (!body) continue
      const modelVersion = input.modelVersions.get(key) ?? 1
      sections.push({ entity: key, modelVersion, body })
    }
    return { replies, sections, revert }
  } catch (error) {
    revert()
    throw error
  }
}

function runHandler(
  { states, origin, context }: DecisionInput,
  drafts: Map<EntityKey, Draft>,
  { key, id, handler, input, at, spares = false }: DecidableInvocation,
): Json | undefined {
  let draft = drafts.get(key)
  if (!draft) {
    draft = states.get(key)!.begin(origin, at)
    drafts.set(key, draft)
  }
  draft.resume()
  const commandContext: CommandContext = {
    id,
    device: context.device,
    now: origin.time.ms,
    newId: () => toBase64Url(context.random.bytes(16)),
    get exists() {
      return draft.exists
    },
    delete: () => draft.delete({ spares }),
  }
  try {
    return takeReply(handler(draft.handle, input, commandContext))
  } catch (error) {
    throw asPeerplaneError(error, 'handler-failed')
  } finally {
    draft.pause()
  }
}

/** The reply, which is stored with an operation and sent to other tabs. Throws for anything but JSON, before anything is appended. */
function takeReply(reply: unknown): Json | undefined {
  if (reply === undefined) return undefined
  if (isThenable(reply)) {
    // Ignored: its failure is a consequence, and must not end the process.
    if (isA(Promise, reply)) reply.catch(() => undefined)
    throw new PeerplaneError('handler-failed', 'the handler is asynchronous')
  }
  const plain = copyPlain(reply, 'the reply of the handler', inputBounds, 'handler-failed')
  return decodeCanonical(encodeCanonical(plain)) as Json
}
