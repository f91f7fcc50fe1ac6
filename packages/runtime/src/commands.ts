import {
  asPeerplaneError,
  checkEntityId,
  decodeCanonical,
  encodeCanonical,
  PeerplaneError,
  Rejected,
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
  type Section,
} from '@peerplane/core'

import type { Invocation } from './backend.ts'

/** A checked invocation: its declaration was found and its input passed the schema. */
export interface CheckedInvocation {
  readonly key: EntityKey
  readonly id: string
  readonly handler: Command<unknown, unknown, unknown>
  readonly input: unknown
  readonly at: string | undefined
}

/** Finds the handler and checks the input. Rejects with `unknown-entity`, `unknown-command` or `invalid-input`. */
export async function checkInvocation(
  entities: ReadonlyMap<string, Entity>,
  { type, id, command, input, at }: Invocation,
): Promise<CheckedInvocation> {
  const entity = entities.get(type)
  if (!entity) throw new PeerplaneError('unknown-entity', `no entity "${type}" was declared`)
  checkEntityId(id)
  const commands = entity.commands as Readonly<Record<string, Command<unknown, unknown, unknown>>>
  const handler = Object.hasOwn(commands, command) ? commands[command] : undefined
  if (!handler) {
    throw new PeerplaneError('unknown-command', `entity "${type}" has no command "${command}"`)
  }
  const key = `${type}/${id}` as EntityKey
  return { key, id, handler, input: await checkInput(handler, input, `${type}.${command}`), at }
}

async function checkInput(
  handler: Command<unknown, unknown, unknown>,
  input: unknown,
  name: string,
): Promise<unknown> {
  if (!handler.input) return input
  const result = await handler.input['~standard'].validate(input)
  if (!result.issues) return result.value
  const reasons = result.issues.map(({ message, path }) => {
    const place = path?.map((part) => String(typeof part === 'object' ? part.key : part)).join('.')
    return place ? `${place}: ${message}` : message
  })
  throw new PeerplaneError('invalid-input', `${name} was given ${reasons.join('; ')}`)
}

/** What handlers decided: nothing is stored yet, but the states already show it. */
export interface Decision {
  readonly replies: readonly (Json | undefined)[]
  readonly sections: readonly Section[]
  /** Takes the changes back from the states, as long as these have not been used again. */
  readonly revert: () => void
}

/** Everything a decision depends on. */
export interface DecisionInput {
  readonly invocations: readonly CheckedInvocation[]
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
      sections.push({ tag: new Uint8Array(0), entity: key, modelVersion, body })
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
  { key, id, handler, input, at }: CheckedInvocation,
): Json | undefined {
  let draft = drafts.get(key)
  if (!draft) {
    draft = states.get(key)!.begin(origin, at)
    drafts.set(key, draft)
  }
  const commandContext: CommandContext = {
    id,
    device: context.device,
    now: origin.time.ms,
    newId: () => toBase64Url(context.random.bytes(16)),
  }
  try {
    const reply = handler(draft.handle, input, commandContext)
    if (reply instanceof Promise) {
      reply.catch(() => undefined)
      throw new PeerplaneError('handler-failed', 'the handler is asynchronous')
    }
    return reply === undefined ? undefined : plainReply(reply)
  } catch (error) {
    throw error instanceof Rejected ? error : asPeerplaneError(error, 'handler-failed')
  }
}

/** The reply, which is stored with an operation and sent to other tabs. Throws for what is not JSON, before anything is appended. */
function plainReply(reply: unknown): Json {
  try {
    return decodeCanonical(encodeCanonical(reply as Json)) as Json
  } catch (cause) {
    throw new PeerplaneError('handler-failed', 'the handler returned what is not JSON', { cause })
  }
}
