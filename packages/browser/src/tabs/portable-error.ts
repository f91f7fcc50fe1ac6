import {
  asPeerplaneError,
  errorKinds,
  limits,
  PeerplaneError,
  Rejected,
  type ErrorCode,
} from '@peerplane/core'

/** An error as plain data: classes do not survive the way between tabs. */
export interface PortableError {
  readonly code: string
  readonly message: string
  readonly operationId?: string
  readonly rejection?: string
  readonly reason?: string
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

/** The error of such data, with the same code and message. A code that only a newer tab knows becomes `unsupported`. */
export function fromPortable(portable: PortableError): PeerplaneError {
  const { code, message, operationId, rejection, reason } = portable
  const known = Object.hasOwn(errorKinds, code) ? (code as ErrorCode) : 'unsupported'
  const error =
    rejection === undefined
      ? new PeerplaneError(known, code, { operationId })
      : new Rejected(rejection, reason ?? '')
  error.message = message
  return error
}

/** Readers refuse longer texts, and then nobody would be told. */
const short = (text: string): string => text.slice(0, limits.valueBytes)
