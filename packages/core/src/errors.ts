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
    'A newer version asks for something that this version does not know.',
    false,
    'Update this side: reload the older tab, or install the newer program.',
  ),
  'not-allowed': kind(
    'Whoever asks may not ask for this.',
    false,
    'Ask with the rights that the operation needs.',
  ),
  malformed: kind(
    'Bytes from outside do not have the form the protocol demands.',
    false,
    'Update the sender; the bytes were dropped and nothing changed.',
  ),
  'too-large': kind(
    'A message, commit or value exceeds its limit.',
    false,
    'Split it, or keep large content outside entities.',
  ),
  'bad-signature': kind(
    'A signature does not belong to the bytes and the key it claims.',
    false,
    'Nothing was stored. Somebody forged or damaged the bytes.',
  ),
  'broken-chain': kind(
    'A batch does not continue the batch before it.',
    true,
    'Ask for the range again, from another peer if there is one.',
  ),
  'wrong-space': kind(
    'A record or an invitation belongs to another space than the one that is open or stored.',
    false,
    'Nothing was changed. Open each space under a name of its own, or erase the one that is not wanted.',
  ),
  'not-a-member': kind(
    'A device has no valid admission to this space.',
    false,
    'Ask a member for a new invitation.',
  ),
  fork: kind(
    'A device signed two different commits for one place in a session.',
    false,
    'From there on nothing of the session counts; the proof is kept and passed on. The device writes in a new session.',
  ),
  void: kind(
    'A commit is well signed, but its content breaks a rule of its state model.',
    false,
    'The commit has no effect anywhere. Update the application that wrote it.',
  ),
  'invalid-invitation': kind(
    'The text is not an invitation, or it was changed.',
    false,
    'Copy the whole link again, or ask for a new one.',
  ),
  'expired-invitation': kind(
    'The invitation may no longer be used, by the clock of this device or of the member it came to.',
    false,
    'If the clock of this device is right, ask a member for a new invitation; otherwise set it and try again.',
  ),
  'wrong-clock': kind(
    'A clock contradicts an invitation, other devices, or the date of this program.',
    false,
    'Set the clock that is wrong; an invitation that was made by a wrong clock has to be made again.',
  ),
  'unknown-entity': kind(
    'No entity type of this name was passed to `open`.',
    false,
    'Add its declaration to `entities`.',
  ),
  'unknown-command': kind(
    'The entity declares no command of this name.',
    false,
    'Use a declared command; two tabs may run different versions of the application.',
  ),
  'invalid-declaration': kind(
    'An entity declaration contradicts itself or another one.',
    false,
    'Change the declaration as the message says.',
  ),
  'invalid-input': kind(
    'The input of a command, or an argument of a function, does not fit its form, its schema or its limits.',
    false,
    'Correct the input; nothing was changed.',
  ),
  rejected: kind(
    'The handler of a command refused it.',
    false,
    'Read the code and the reason that the application gave.',
  ),
  'handler-failed': kind(
    'The handler or the schema of a command failed other than by refusing, or is asynchronous where it must not be.',
    false,
    'Correct the handler or the schema; nothing was changed.',
  ),
  'listener-failed': kind(
    'A listener that the application passed to a plane threw.',
    false,
    'Correct the listener. It was called once with what it failed on, and goes on with the next change.',
  ),
  unreadable: kind(
    'An entity cannot be shown here: its state model is unknown, newer, or was damaged.',
    false,
    'Update the application. The commits are kept and passed on.',
  ),
  'store-failed': kind(
    'The storage refused a write or a read.',
    true,
    'Free space or mend the disk. What was acknowledged before is kept.',
  ),
  'store-full': kind(
    'There is no space left on the disk or in the quota of the browser.',
    true,
    'Free space; reading goes on, and writing works again as soon as there is room.',
  ),
  'store-corrupt': kind(
    'The storage holds bytes that this program never wrote.',
    false,
    'Restore the file from a copy, or move it away and let the device fetch everything from its peers.',
  ),
  'storage-lost': kind(
    'A part of what this device had stored is gone: it was deleted, or the storage was cleared.',
    true,
    'Open the space with a new invitation: what is still here is kept, the rest comes from other devices. To begin without it, erase the space.',
  ),
  'store-locked': kind(
    'Another process uses this store.',
    true,
    'Stop the other process, or choose another data directory.',
  ),
  'store-version': kind('The store was written by a newer version.', false, 'Update this program.'),
  'exposed-secret': kind(
    'A file that holds a secret can be read by other users of this machine.',
    false,
    'Take their rights away (`chmod 600`); if somebody may have read it, use a new data directory and invite the device again.',
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
    'A configuration key is unknown or its value does not fit.',
    false,
    'Correct the key or the value that the message names.',
  ),
  unreachable: kind(
    'Nobody answers at an address, or not with this protocol.',
    true,
    'Check the address and the network; it is tried again by itself.',
  ),
  'handshake-failed': kind(
    'A peer did not prove that it knows the space.',
    false,
    'The connection was closed. Nothing of the space was sent.',
  ),
  overloaded: kind(
    'A queue has reached its limit.',
    true,
    'Wait for earlier work to finish, then try again.',
  ),
  timeout: kind('An answer did not come in time. Nothing was changed.', true, 'Try again.'),
  aborted: kind(
    'The signal that the caller passed was aborted before the answer came.',
    true,
    'Call again to wait again.',
  ),
  unknown: kind(
    'A command was handed over, and its answer did not come, or the caller stopped waiting for it: it may have taken effect, or may still do so.',
    false,
    'Pass the operation id of this error to `plane.outcome`: it says what came of the command, for good.',
  ),
  withdrawn: kind(
    'A command is called under an operation id of which `plane.outcome` has said that it did not run: so it never runs.',
    false,
    'Call the command under another operation id.',
  ),
  closed: kind('The plane is closed.', false, 'Open it again.'),
} as const satisfies Record<string, ErrorKind>

/** A code of the catalogue. */
export type ErrorCode = keyof typeof errorKinds

/** What may be said with an error. */
export interface PeerplaneErrorOptions extends ErrorOptions {
  /** What to do, in sentences, where the cause is known better than the code tells. */
  readonly advice?: string | undefined
  readonly operationId?: string | undefined
}

/** Every failure that Peerplane reports: a code to branch on, and a message that says what happened and what to do. */
export class PeerplaneError extends Error {
  readonly code: ErrorCode
  /** What to do: the end of the message. */
  readonly advice: string
  /** The command in question, where its outcome is not known. Every error of the code `unknown` has it. */
  readonly operationId: string | undefined

  constructor(code: ErrorCode, reason: string, options?: PeerplaneErrorOptions) {
    if (typeof code !== 'string' || !Object.hasOwn(errorKinds, code)) {
      throw new PeerplaneError('invalid-input', 'the catalogue has no such error code')
    }
    const given = membersOf(options)
    const advice = typeof given.advice === 'string' ? given.advice : errorKinds[code].action
    const what = textOf(reason)
    // What is passed on from an error of the same kind ends in its advice already.
    super(what.endsWith(advice) ? what : `${what.replace(/\.+$/, '')}. ${advice}`, given)
    this.advice = advice
    this.name = 'PeerplaneError'
    this.code = code
    this.operationId = given.operationId
  }

  /** Whether the same call can succeed later. */
  get retry(): boolean {
    return errorKinds[this.code].retry
  }
}

/** Thrown by a handler to refuse a command: an application's own code and a reason for people. Nothing is changed. */
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

/** What an error, or whatever else was thrown, says, without what to do: for the message of another error. */
export function reasonOf(error: unknown): string {
  if (!isA(Error, error)) return textOf(error)
  const message = textOf(error.message)
  const advised = isA(PeerplaneError, error) && message.endsWith(`. ${error.advice}`)
  return advised ? message.slice(0, -error.advice.length - 2) : message
}

/** The code of an error: ours, or that of Node, such as `EACCES`, or the name of the error. */
export function codeOf(error: unknown): string {
  if (!isA(Error, error)) return 'unknown'
  const { code } = error as { readonly code?: unknown }
  return textOf(typeof code === 'string' ? code : error.name)
}

/** `error` itself when it is ours, otherwise wrapped under `code`. */
export const asPeerplaneError = (error: unknown, code: ErrorCode): PeerplaneError =>
  isA(PeerplaneError, error) ? error : new PeerplaneError(code, reasonOf(error), { cause: error })

/** `instanceof`, also for a proxy of an application that answers nothing. */
export function isA<T>(kind: abstract new (...args: never[]) => T, value: unknown): value is T {
  try {
    return value instanceof kind
  } catch {
    // Ignored: what answers nothing is nothing of ours.
    return false
  }
}

/** A refusal must not fail for want of what explains it. */
function membersOf(options: PeerplaneErrorOptions | undefined): PeerplaneErrorOptions {
  try {
    return typeof options === 'object' ? { ...options } : {}
  } catch {
    // Ignored: options that cannot be read explain nothing.
    return {}
  }
}

/** A refusal must not fail for want of a text. */
const textOf = (given: unknown): string => (typeof given === 'string' ? given : describe(given))
