import {
  isA,
  limits,
  PeerplaneError,
  reasonOf,
  type Command,
  type Scheduler,
} from '@peerplane/core'

/** What a handler gets, or the promise of it where the schema is asynchronous. */
export type Judged = { readonly value: unknown } | Promise<{ readonly value: unknown }>

/**
 * Has the schema of a command, if it has one, judge an input. Throws, or rejects with, `invalid-input` for what the schema refuses and
 * `handler-failed` for a schema that throws or does not answer in time.
 */
export function judge(
  { input: schema }: Command<unknown, unknown, unknown>,
  input: unknown,
  name: string,
  scheduler: Scheduler,
): Judged {
  if (!schema) return { value: input }
  const failed = (cause: unknown): never => {
    if (isA(PeerplaneError, cause)) throw cause
    const reason = `the schema of ${name} failed: ${reasonOf(cause)}`
    throw new PeerplaneError('handler-failed', reason, { cause })
  }
  try {
    const result = schema['~standard'].validate(input)
    if (!isThenable(result)) return accepted(result as Result, name)
    const judged = inTime(Promise.resolve(result), name, scheduler)
      .then((late) => accepted(late, name))
      .catch(failed)
    // Ignored: nobody may wait for it, when another part of the command has been refused before.
    judged.catch(() => undefined)
    return judged
  } catch (cause) {
    return failed(cause)
  }
}

/** Whether `value` is a promise of any kind. */
export const isThenable = (value: unknown): value is PromiseLike<unknown> =>
  typeof value === 'object' &&
  value !== null &&
  typeof (value as { readonly then?: unknown }).then === 'function'

type Schema = NonNullable<Command<unknown, unknown, unknown>['input']>
type Issue = Extract<Result, { readonly issues: object }>['issues'][number]
type Result = Awaited<ReturnType<Schema['~standard']['validate']>>

function accepted(result: Result, name: string): { readonly value: unknown } {
  const { issues } = result
  if (issues === undefined && 'value' in result) return { value: result.value }
  // A schema without types may give anything.
  if (!issues || !Array.isArray(issues)) throw new TypeError('it gave no result')
  const reasons = [...issues].map(({ message, path }: Issue) => {
    const place = path?.map((part) => String(typeof part === 'object' ? part.key : part)).join('.')
    return place ? `${place}: ${message}` : message
  })
  const reason = reasons.join('; ') || 'an input that its schema refuses'
  throw new PeerplaneError('invalid-input', `${name} was given ${reason}`)
}

function inTime<T>(answer: Promise<T>, name: string, scheduler: Scheduler): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel = scheduler.after(limits.schemaMs, () => {
      const seconds = limits.schemaMs / 1000
      const reason = `the schema of ${name} has not answered for ${seconds} seconds`
      reject(new PeerplaneError('handler-failed', reason))
    })
    answer.then(resolve, reject).finally(cancel)
  })
}
