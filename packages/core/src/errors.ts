import { describe } from './describe.ts'

/** One kind of failure: what it means, whether trying again can help, and what to do. */
export interface ErrorKind {
  readonly meaning: string
  readonly retry: boolean
  readonly action: string
}

const kind = (meaning: string, retry: boolean, action: string): ErrorKind => ({
  meaning,
  retry,
  action,
})

/** The catalogue of error codes. `docs/errors.md` is generated from this catalogue. */
export const errorKinds = {
  outdated: kind(
    'A newer version sent a request that this version does not support.',
    false,
    'Reload the tab that runs the older version, or update the program.',
  ),
  'not-allowed': kind(
    'The caller is not allowed to do this operation.',
    false,
    'Connect with the permissions that this operation needs.',
  ),
  malformed: kind(
    'Received bytes do not have the form that the protocol requires.',
    false,
    'Update the sender. The received bytes were dropped, and nothing was changed.',
  ),
  'too-large': kind(
    'A message, commit or value exceeds its limit.',
    false,
    'Split the content, or store it outside entities.',
  ),
  'bad-signature': kind(
    'A signature does not match its bytes and its key.',
    false,
    'The signed bytes were forged or damaged, and were not stored.',
  ),
  'broken-chain': kind(
    'A batch does not continue the batch before it.',
    true,
    'Request the commits again, from another peer if possible.',
  ),
  'wrong-space': kind(
    'A record or an invitation does not belong to the space that is open or stored.',
    false,
    'Open each space under its own name, or erase the space that you do not want. Nothing was changed.',
  ),
  'not-a-member': kind(
    'A device has no valid admission to this space.',
    false,
    'Ask a member for a new invitation.',
  ),
  fork: kind(
    'A device signed two different commits for the same place in a session.',
    false,
    'The commits of the session at and after the fork have no effect, and the proof of the fork is kept and forwarded. The device that forked its session continues in a new session.',
  ),
  void: kind(
    'A commit has a valid signature, but its content breaks a rule of its state model.',
    false,
    'Update the application that wrote the commit. The commit has no effect on any device.',
  ),
  'invalid-invitation': kind(
    'The given text is not an invitation, or the invitation was changed.',
    false,
    'Copy the whole invitation link again, or ask for a new invitation.',
  ),
  'expired-invitation': kind(
    'The invitation has expired according to the clock of this device or of the member that checked it.',
    false,
    'If the clock of this device is right, ask a member for a new invitation. If the clock of this device is wrong, correct the clock and try again.',
  ),
  'wrong-clock': kind(
    'A clock contradicts an invitation, other devices, or the release date of this program.',
    false,
    'Correct the wrong clock. If an invitation was made with a wrong clock, make a new invitation.',
  ),
  'unknown-entity': kind(
    'No entity type of this name was passed to `open`.',
    false,
    'Add the declaration of the entity type to `entities`.',
  ),
  'unknown-command': kind(
    'The declaration of the entity has no command of this name.',
    false,
    'Call a command that the entity declares. Two tabs may be running different versions of the application.',
  ),
  'invalid-declaration': kind(
    'An entity declaration contradicts itself or another declaration.',
    false,
    'Change the declaration as the message says.',
  ),
  'invalid-input': kind(
    'The input of a command, or an argument of a function, does not match its type, its schema or its limits.',
    false,
    'Correct the input. Nothing was changed.',
  ),
  rejected: kind(
    'The handler of a command refused the command.',
    false,
    'See the code and the reason that the handler gave.',
  ),
  'handler-failed': kind(
    'The handler or the schema of a command threw an unexpected error, or is asynchronous although it must be synchronous.',
    false,
    'Correct the handler or the schema. Nothing was changed.',
  ),
  'listener-failed': kind(
    'A listener of the application threw an error.',
    false,
    'Correct the listener. The listener is not called again for the same change, but it is called for the next change.',
  ),
  unreadable: kind(
    'This device cannot show an entity, because the entity is too large, or has damaged data.',
    false,
    'If the entity is too large, use another entity. The commits of the unreadable entity are kept and forwarded.',
  ),
  'store-failed': kind(
    'The storage failed to write or read.',
    true,
    'Free space on the disk, or repair the disk. No acknowledged change is lost.',
  ),
  'store-full': kind(
    'The disk or the quota of the browser is full.',
    true,
    'Free space on the disk. Reading still works, and writing works again as soon as there is enough space.',
  ),
  'store-corrupt': kind(
    'The storage holds bytes that this program did not write.',
    false,
    'Restore the store from a backup, or move the store away and let the device fetch everything from its peers.',
  ),
  'storage-lost': kind(
    'Part of the stored data of this device is gone: it was deleted, cleared or truncated.',
    true,
    'Open the space with a new invitation: this device keeps its remaining data and fetches the rest from other devices. To start with an empty store, erase the space.',
  ),
  'store-locked': kind(
    'Another process uses this store.',
    true,
    'Stop the other process, or choose another data directory.',
  ),
  'store-version': kind('The store was written by a newer version.', false, 'Update this program.'),
  'exposed-secret': kind(
    'Other users of this machine can read a file that holds a secret.',
    false,
    'Remove the access of other users (`chmod 600`). If another user may already have read the secret, use a new data directory and invite the device again.',
  ),
  unsupported: kind(
    'This environment lacks a feature that Peerplane needs.',
    false,
    'Use a current browser over https or localhost, or Node 22.23, 24.15, 26 or newer.',
  ),
  'port-in-use': kind(
    'Another program already listens on this port.',
    true,
    'Stop the other program or choose another port.',
  ),
  'invalid-configuration': kind(
    'A configuration key is unknown, or has an invalid value.',
    false,
    'Correct the key or the value that the message names.',
  ),
  unreachable: kind(
    'No program answers at an address, or the program there speaks a different protocol.',
    true,
    'Check the address and the network. Peerplane retries automatically.',
  ),
  'handshake-failed': kind(
    'A peer did not prove that it is a member of the space.',
    false,
    'The connection was closed. No data of the space was sent.',
  ),
  'needs-update': kind(
    'Two devices have no version of the protocol in common, or a record or a device requires something that this version does not know.',
    false,
    'Update the older device.',
  ),
  overloaded: kind(
    'A queue has reached its limit.',
    true,
    'Wait for earlier work to finish, then try again.',
  ),
  timeout: kind('No answer came within the time limit. Nothing was changed.', true, 'Try again.'),
  aborted: kind(
    'The caller aborted the call through its signal before the answer came.',
    true,
    'Repeat the call to wait for the answer again.',
  ),
  unknown: kind(
    'A command was sent, but no answer came, or the caller stopped waiting for the answer. The command may have taken effect, or may still take effect.',
    false,
    'Call `plane.outcome` with the operation id of this error to get the final outcome of the command.',
  ),
  withdrawn: kind(
    'A command was called with an operation id that `plane.outcome` has reported as not run. A withdrawn command never runs.',
    false,
    'Call the command with a new operation id.',
  ),
  closed: kind('The plane is closed.', false, 'Open the plane again.'),
} as const satisfies Record<string, ErrorKind>

/** A code of the catalogue. */
export type ErrorCode = keyof typeof errorKinds

/** Whether a call that failed with `code` can succeed later. For a code that is not in the catalogue, the result is `false`. */
export const canPass = (code: string): boolean =>
  Object.hasOwn(errorKinds, code) && errorKinds[code as ErrorCode].retry

/** Optional details of an error. */
export interface PeerplaneErrorOptions extends ErrorOptions {
  /** Advice for the reader of the message, in whole sentences. The default is the action that the catalogue names for the code. */
  readonly advice?: string | undefined
  readonly operationId?: string | undefined
}

/** Every failure that Peerplane reports: a code that a program can check, and a message that says what happened and what to do. */
export class PeerplaneError extends Error {
  readonly code: ErrorCode
  /** Advice for the reader of the message. The message ends with this advice. */
  readonly advice: string
  /** The operation id of the command whose outcome is not known. Every error with the code `unknown` has an operation id. */
  readonly operationId: string | undefined

  constructor(code: ErrorCode, reason: string, options?: PeerplaneErrorOptions) {
    if (typeof code !== 'string' || !Object.hasOwn(errorKinds, code)) {
      throw new PeerplaneError('invalid-input', 'the catalogue has no such error code')
    }
    const given = membersOf(options)
    const advice = typeof given.advice === 'string' ? given.advice : errorKinds[code].action
    const what = textOf(reason)
    // A reason taken from an error of the same kind already ends with its advice.
    super(what.endsWith(advice) ? what : `${what.replace(/\.+$/, '')}. ${advice}`, given)
    this.advice = advice
    this.name = 'PeerplaneError'
    this.code = code
    this.operationId = given.operationId
  }

  /** Whether the same call can succeed later. */
  get retry(): boolean {
    return canPass(this.code)
  }
}

/**
 * A handler throws this error to refuse a command. A `Rejected` has a code of the application and a reason for people. The refused command changes nothing.
 */
export class Rejected extends PeerplaneError {
  readonly rejection: string
  readonly reason: string

  constructor(rejection: string, reason: string) {
    super('rejected', `${textOf(rejection)}: ${textOf(reason)}`)
    this.name = 'Rejected'
    this.rejection = textOf(rejection)
    this.reason = textOf(reason)
  }
}

/**
 * The message of an error without the advice at its end, or the text of any other thrown value. The result can be passed on as the reason of another
 * error.
 */
export function reasonOf(error: unknown): string {
  if (!isA(Error, error)) return textOf(error)
  const message = textOf(error.message)
  const advised = isA(PeerplaneError, error) && message.endsWith(`. ${error.advice}`)
  return advised ? message.slice(0, -error.advice.length - 2) : message
}

/**
 * The code of an error: a code of the catalogue, or a code of Node such as `EACCES`. For an error without a code, the result is the name of the
 * error.
 */
export function codeOf(error: unknown): string {
  if (!isA(Error, error)) return 'unknown'
  const { code } = error as { readonly code?: unknown }
  return textOf(typeof code === 'string' ? code : error.name)
}

/** Returns `error` if it is a `PeerplaneError`, or otherwise a new `PeerplaneError` with `code` and the cause `error`. */
export const asPeerplaneError = (error: unknown, code: ErrorCode): PeerplaneError =>
  isA(PeerplaneError, error) ? error : new PeerplaneError(code, reasonOf(error), { cause: error })

/** `instanceof` that also works for a proxy that throws on every access. */
export function isA<T>(kind: abstract new (...args: never[]) => T, value: unknown): value is T {
  try {
    return value instanceof kind
  } catch {
    // Ignored: such a proxy is not an object of this library.
    return false
  }
}

/** A refusal must not fail because its options cannot be read. */
function membersOf(options: PeerplaneErrorOptions | undefined): PeerplaneErrorOptions {
  try {
    return typeof options === 'object' ? { ...options } : {}
  } catch {
    // Ignored: options that cannot be read are left out.
    return {}
  }
}

/** A refusal must not fail because its reason is not text. */
const textOf = (given: unknown): string => (typeof given === 'string' ? given : describe(given))
