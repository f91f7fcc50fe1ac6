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

/** The catalogue of error codes. `docs/errors.md` is generated from it. */
export const errorKinds = {
  outdated: kind(
    'A newer version sent a request that this version does not know.',
    false,
    'Update this side: reload the older tab, or install the newer program.',
  ),
  'not-allowed': kind(
    'The caller has no right to this operation.',
    false,
    'Connect with the rights that the operation needs.',
  ),
  malformed: kind(
    'Bytes from outside do not have the form that the protocol requires.',
    false,
    'Update the sender. The bytes were dropped, and nothing was changed.',
  ),
  'too-large': kind(
    'A message, commit or value exceeds its limit.',
    false,
    'Split it, or keep large content outside entities.',
  ),
  'bad-signature': kind(
    'A signature does not match its bytes and its key.',
    false,
    'Nothing was stored: the bytes were forged or damaged.',
  ),
  'broken-chain': kind(
    'A batch does not continue the batch before it.',
    true,
    'Ask for the range again, from another peer if there is one.',
  ),
  'wrong-space': kind(
    'A record or an invitation belongs to a different space from the one that is open or stored.',
    false,
    'Nothing was changed. Open each space under its own name, or erase the one that you do not want.',
  ),
  'not-a-member': kind(
    'A device has no valid admission to this space.',
    false,
    'Ask a member for a new invitation.',
  ),
  fork: kind(
    'A device signed two different commits for the same place in a session.',
    false,
    'Nothing from that place on counts; the proof is kept and passed on. The device continues in a new session.',
  ),
  void: kind(
    'A commit has a valid signature, but its content breaks a rule of its state model.',
    false,
    'The commit has no effect anywhere. Update the application that wrote it.',
  ),
  'invalid-invitation': kind(
    'The text is not an invitation, or it was changed.',
    false,
    'Copy the whole link again, or ask for a new one.',
  ),
  'expired-invitation': kind(
    'The invitation has expired by the clock of this device, or of the member that checked it.',
    false,
    'If the clock of this device is right, ask a member for a new invitation. Otherwise set the clock and try again.',
  ),
  'wrong-clock': kind(
    'A clock contradicts an invitation, other devices, or the date of this program.',
    false,
    'Set the wrong clock. If an invitation was made under a wrong clock, make a new one.',
  ),
  'unknown-entity': kind(
    'No entity type of this name was passed to `open`.',
    false,
    'Add its declaration to `entities`.',
  ),
  'unknown-command': kind(
    'The entity declares no command of this name.',
    false,
    'Use a declared command. Two tabs may be running different versions of the application.',
  ),
  'invalid-declaration': kind(
    'An entity declaration contradicts itself or another one.',
    false,
    'Change the declaration as the message says.',
  ),
  'invalid-input': kind(
    'The input of a command, or an argument of a function, does not match its type, its schema or its limits.',
    false,
    'Correct the input. Nothing was changed.',
  ),
  rejected: kind(
    'The handler of a command refused it.',
    false,
    'See the code and the reason that the application gave.',
  ),
  'handler-failed': kind(
    'The handler or the schema of a command threw an error that is not a refusal, or is asynchronous where it must not be.',
    false,
    'Correct the handler or the schema. Nothing was changed.',
  ),
  'listener-failed': kind(
    'A listener that the application passed to a plane threw.',
    false,
    'Correct the listener. It is not called again for the same change, and gets the next one.',
  ),
  unreadable: kind(
    'An entity cannot be shown here: it was written for another kind of state, or its data is damaged.',
    false,
    'Update the application. The commits are kept and passed on.',
  ),
  'store-failed': kind(
    'The storage refused a write or a read.',
    true,
    'Free space or repair the disk. Everything that was acknowledged before is kept.',
  ),
  'store-full': kind(
    'The disk or the quota of the browser is full.',
    true,
    'Free space. Reading still works, and writing works again as soon as there is room.',
  ),
  'store-corrupt': kind(
    'The storage holds bytes that this program did not write.',
    false,
    'Restore the file from a backup, or move it away and let the device fetch everything from its peers.',
  ),
  'storage-lost': kind(
    'Part of what this device stored is gone: it was deleted, cleared or cut off.',
    true,
    'Open the space with a new invitation: what is still here is kept, and the rest comes from other devices. To start empty, erase the space.',
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
    'Remove their access (`chmod 600`). If somebody may have read the file, use a new data directory and invite the device again.',
  ),
  unsupported: kind(
    'This environment lacks something that Peerplane needs.',
    false,
    'Use a current browser over https or localhost, or Node 22.23, 24.15, 26 or newer.',
  ),
  'port-in-use': kind(
    'Another program listens on this port.',
    true,
    'Stop the other program or choose another port.',
  ),
  'invalid-configuration': kind(
    'A configuration key is unknown, or its value is invalid.',
    false,
    'Correct the key or the value that the message names.',
  ),
  unreachable: kind(
    'Nothing answers at an address, or it speaks a different protocol.',
    true,
    'Check the address and the network. Peerplane retries automatically.',
  ),
  'handshake-failed': kind(
    'A peer did not prove that it knows the space.',
    false,
    'The connection was closed. No data of the space was sent.',
  ),
  overloaded: kind(
    'A queue has reached its limit.',
    true,
    'Wait for earlier work to finish, then try again.',
  ),
  timeout: kind('No answer came in time. Nothing was changed.', true, 'Try again.'),
  aborted: kind(
    'The signal that the caller passed was aborted before the answer came.',
    true,
    'Repeat the call to wait again.',
  ),
  unknown: kind(
    'A command was sent, but its answer did not come, or the caller stopped waiting for it. The command may have taken effect, or may still do so.',
    false,
    'Pass the operation id of this error to `plane.outcome`, which returns the final outcome of the command.',
  ),
  withdrawn: kind(
    'A command was called with an operation id that `plane.outcome` has reported as not run. Such a command never runs.',
    false,
    'Call the command with a new operation id.',
  ),
  closed: kind('The plane is closed.', false, 'Open it again.'),
} as const satisfies Record<string, ErrorKind>

/** A code of the catalogue. */
export type ErrorCode = keyof typeof errorKinds

/** Whether a call that failed with `code` can succeed later; `false` for any code outside of the catalogue. */
export const canPass = (code: string): boolean =>
  Object.hasOwn(errorKinds, code) && errorKinds[code as ErrorCode].retry

/** Optional details of an error. */
export interface PeerplaneErrorOptions extends ErrorOptions {
  /** What to do, in sentences, if more is known than the code says. */
  readonly advice?: string | undefined
  readonly operationId?: string | undefined
}

/** Every failure that Peerplane reports: a code to branch on, and a message that says what happened and what to do. */
export class PeerplaneError extends Error {
  readonly code: ErrorCode
  /** What to do: the end of the message. */
  readonly advice: string
  /** The operation id of a command whose outcome is not known. Every error with the code `unknown` has it. */
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

/** Thrown by a handler to refuse a command: a code of the application and a reason for people. Nothing is changed. */
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

/** The reason in an error, or in any other thrown value, without its advice: for the message of another error. */
export function reasonOf(error: unknown): string {
  if (!isA(Error, error)) return textOf(error)
  const message = textOf(error.message)
  const advised = isA(PeerplaneError, error) && message.endsWith(`. ${error.advice}`)
  return advised ? message.slice(0, -error.advice.length - 2) : message
}

/** The code of an error: of the catalogue, or of Node, such as `EACCES`; otherwise the name of the error. */
export function codeOf(error: unknown): string {
  if (!isA(Error, error)) return 'unknown'
  const { code } = error as { readonly code?: unknown }
  return textOf(typeof code === 'string' ? code : error.name)
}

/** `error` itself if it is a `PeerplaneError`, otherwise wrapped in one with `code`. */
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
