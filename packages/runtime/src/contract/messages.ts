import {
  asPeerplaneError,
  errorKinds,
  limits,
  PeerplaneError,
  Rejected,
  type ErrorCode,
  type Json,
} from '@peerplane/core'

import { count, json, object, optional, text } from './form.ts'

/*
 *   client -> server   ask, watch, unwatch, seen     ids are given by the client and count up
 *   server -> client   answer, failed, update        each names the request that it belongs to
 */

/** What a client says. */
export type Request =
  | {
      readonly kind: 'ask' | 'watch'
      readonly id: number
      readonly operation: string
      readonly given: Json
    }
  | { readonly kind: 'unwatch'; readonly id: number }
  /** The last update of this watch was shown: the next may come. */
  | { readonly kind: 'seen'; readonly id: number }

/** What a server says. */
export type Reply =
  | { readonly kind: 'answer' | 'update'; readonly id: number; readonly value: Json | undefined }
  | { readonly kind: 'failed'; readonly id: number; readonly error: PortableError }

/** An error as plain data. */
export interface PortableError {
  readonly code: string
  readonly message: string
  readonly operationId?: string | undefined
  /** The code and reason of the application, of a command that its handler has refused. */
  readonly rejection?: string | undefined
  readonly reason?: string | undefined
}

const portableError = object<PortableError>({
  code: text(),
  message: text(),
  operationId: optional(text()),
  rejection: optional(text()),
  reason: optional(text()),
})

/** Throws `malformed`, `too-large`, or `outdated` for what only a newer version says. */
export function readRequest(message: unknown): Request {
  const { kind, id: numbered, operation, given } = fieldsOf(message)
  const id = count.read(numbered, 'id')
  if (kind === 'ask' || kind === 'watch') {
    const name = text(limits.entityNameBytes).read(operation, 'operation')
    return { kind, id, operation: name, given: json.read(given, 'given') }
  }
  if (kind === 'unwatch' || kind === 'seen') return { kind, id }
  throw new PeerplaneError('outdated', 'a request is of a kind that is not known here')
}

/** As {@link readRequest}. */
export function readReply(message: unknown): Reply {
  const { kind, id: numbered, value, error } = fieldsOf(message)
  const id = count.read(numbered, 'id')
  if (kind === 'answer' || kind === 'update') return { kind, id, value: value as Json | undefined }
  if (kind === 'failed') return { kind, id, error: portableError.read(error, 'error') }
  throw new PeerplaneError('outdated', 'a reply is of a kind that is not known here')
}

/** The data of an error; one that is not ours counts as a failure of the store, as in the runtime. */
export function toPortable(error: unknown): PortableError {
  const { code, message, operationId } = asPeerplaneError(error, 'store-failed')
  if (!(error instanceof Rejected)) {
    return { code, message: short(message), ...(operationId !== undefined && { operationId }) }
  }
  const { rejection, reason } = error
  return { code, message: short(message), rejection: short(rejection), reason: short(reason) }
}

/** The error of such data, with the same code and message. A code that only a newer version knows becomes `unsupported`. */
export function fromPortable(portable: PortableError): PeerplaneError {
  const { code, message, operationId, rejection, reason } = portable
  const known = Object.hasOwn(errorKinds, code) ? (code as ErrorCode) : 'unsupported'
  const error =
    rejection === undefined
      ? new PeerplaneError(known, code, { operationId })
      : new Rejected(rejection, reason ?? '')
  // It contains the advice already.
  error.message = message
  return error
}

function fieldsOf(message: unknown): { readonly [name: string]: unknown } {
  if (typeof message === 'object' && message !== null && !Array.isArray(message)) {
    return message as { readonly [name: string]: unknown }
  }
  throw new PeerplaneError('malformed', 'a message is not an object')
}

/** Readers refuse longer texts, and then the error would not arrive. */
const short = (value: string): string => value.slice(0, limits.valueBytes)
