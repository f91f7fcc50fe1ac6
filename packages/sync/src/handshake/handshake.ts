import {
  arrayField,
  bytesField,
  dateText,
  decodeCanonical,
  encodeCanonical,
  equalSecrets,
  limits,
  PeerplaneError,
  type Channel,
  type ErrorCode,
  type Random,
  type Scheduler,
  type Value,
  type Protocol,
} from '@peerplane/core'

import { credentials, prove, type Claimant, type Proven } from './credentials.ts'
import {
  checkCompatible,
  makeHello,
  needsUpdate,
  NONCE_BYTES,
  PROTOCOL,
  readHello,
} from './hello.ts'
import { SELECTOR_BYTES, selectorOf, type Served } from './served.ts'
import { contextOf, proofOf, type Transcript } from './transcript.ts'

/** What a device brings to its handshakes. */
export interface Self extends Claimant {
  readonly random: Random
  readonly scheduler: Scheduler
  /** What it speaks; default all that this version knows. */
  readonly protocol?: Protocol | undefined
}

const MAC_BYTES = 32
const NOTHING = new Uint8Array(0)
const ADMITTED = 'admitted'
/** Verdicts that are sent to a peer that knows the secret of the space, so that its user learns why. */
const VERDICTS: readonly ErrorCode[] = [
  'expired-invitation',
  'wrong-clock',
  'not-a-member',
  'needs-update',
]
const FINAL: readonly ErrorCode[] = [...VERDICTS, 'handshake-failed']

/**
 * Mutual proof of membership over a new channel, in canonical CBOR:
 *
 *     initiator                                            responder
 *     [selector, hello, mac]                           →                        knows the secret of this space
 *                                                      ←   [hello, mac]         knows it, too
 *                                                      ←   [statement, chain]
 *     [statement, chain]                               →
 *                                                      ←   ['admitted']         or, in place of any of these three: [error code]
 *
 * Macs and statements cover both network ids, which the transport has authenticated, the hellos with both nonces, and the side: none can be
 * replayed, reflected, or passed on by somebody in the middle. A responder shows a stranger nothing, and computes one mac for it.
 *
 * An initiator asks for the space of `self`, a responder lets it choose among `served`. Rejects with `needs-update` if the two speak no common
 * version, or one needs what the other does not know; with `expired-invitation` or `wrong-clock` (of any device of the chain that is new here, on
 * either side: otherwise a device that comes too late could invite itself once more); with `not-a-member`; and with `handshake-failed` for
 * everything else, silence of `limits.handshakeMs` included.
 */
export async function authenticate(
  channel: Channel,
  self: Self,
  served: Served<Self>,
): Promise<Proven> {
  let cancel: (() => void) | undefined
  const silence = new Promise<never>((_, reject) => {
    cancel = self.scheduler.after(limits.handshakeMs, () => {
      reject(failed(`the peer did not prove membership within ${limits.handshakeMs} ms`))
    })
  })
  const exchange = channel.initiator ? initiate(channel, self) : respond(channel, served)
  try {
    return await Promise.race([exchange, silence])
  } catch (error) {
    if (error instanceof PeerplaneError && FINAL.includes(error.code)) throw error
    throw failed(error instanceof Error ? error.message : String(error), error)
  } finally {
    cancel?.()
    // Ignored: whichever lost the race may still fail, with nobody left to hear of it.
    exchange.catch(() => {})
  }
}

async function initiate(channel: Channel, self: Self): Promise<Proven> {
  const { space, protocol = PROTOCOL } = self
  const { localPeer: initiator, remotePeer: responder } = channel
  const { bytes: hello } = makeHello(protocol, self.random.bytes(NONCE_BYTES))
  const first: Transcript = { initiator, responder, hello, answer: NOTHING }
  const selector = selectorOf(space, responder)
  await send(channel, [selector, hello, proofOf(space, first, 'initiator')])
  const [said, proof] = await receive(channel, 2)
  const answer = bytesField(said, 'handshake.hello')
  const transcript = { ...first, answer }
  checkProof(proof, proofOf(space, transcript, 'responder'))
  // In turn: the responder reads no verdict before it has sent its own. What this side can tell from the hello says more than that.
  const frame = await receiveAny(channel)
  await verdict(channel, () => checkCompatible(readHello(answer), protocol, responder))
  const claim = acceptedBy(channel, self, frame, 2)
  const context = contextOf(space, transcript, 'responder')
  const peer = await verdict(channel, () => prove(claim, context, self))
  await send(channel, await credentials(self, contextOf(space, transcript, 'initiator')))
  const [last] = acceptedBy(channel, self, await receiveAny(channel), 1)
  if (last !== ADMITTED) throw failed('the peer gave no verdict')
  return peer
}

async function respond(channel: Channel, served: Served<Self>): Promise<Proven> {
  const { remotePeer: initiator, localPeer: responder } = channel
  const [selector, said, proof] = await receive(channel, 3)
  const self = served.find(bytesField(selector, 'handshake.selector', SELECTOR_BYTES))
  if (!self) throw failed('the peer does not know the secret of a space that is served here')
  const { space, protocol = PROTOCOL } = self
  const hello = bytesField(said, 'handshake.hello')
  const first: Transcript = { initiator, responder, hello, answer: NOTHING }
  checkProof(proof, proofOf(space, first, 'initiator'))
  channel.recognized()
  const { bytes: answer } = makeHello(protocol, self.random.bytes(NONCE_BYTES))
  const transcript = { ...first, answer }
  await send(channel, [answer, proofOf(space, transcript, 'responder')])
  await verdict(channel, () => checkCompatible(readHello(hello), protocol, initiator))
  await send(channel, await credentials(self, contextOf(space, transcript, 'responder')))
  const claim = acceptedBy(channel, self, await receiveAny(channel), 2)
  const context = contextOf(space, transcript, 'initiator')
  const peer = await verdict(channel, () => prove(claim, context, self))
  await send(channel, [ADMITTED])
  return peer
}

function checkProof(theirs: Value | undefined, expected: Uint8Array): void {
  if (!equalSecrets(bytesField(theirs, 'handshake.mac', MAC_BYTES), expected)) {
    throw failed('the peer does not know the secret of the space')
  }
}

/** Judges a peer that knows the secret: a verdict that it may know is sent before it is thrown. */
async function verdict<Result>(
  channel: Channel,
  judge: () => Result | Promise<Result>,
): Promise<Result> {
  try {
    return await judge()
  } catch (error) {
    if (error instanceof PeerplaneError && isVerdict(error.code)) {
      // Ignored: the peer may have come to a verdict of its own, and be gone.
      await send(channel, [error.code]).catch(() => {})
    }
    throw error
  }
}

const send = (channel: Channel, value: Value): Promise<void> => channel.send(encodeCanonical(value))

/** The next frame: an array of `length` items. */
const receive = async (channel: Channel, length: number): Promise<readonly Value[]> =>
  arrayField(await receiveAny(channel), 'handshake', length)

/** What a frame of a peer that knows the secret holds: an array of `length` items, or a verdict, which is thrown. */
function acceptedBy(
  { remotePeer }: Channel,
  self: Self,
  frame: Value,
  length: number,
): readonly Value[] {
  const [code] = arrayField(frame, 'handshake')
  if (typeof code !== 'string' || !isVerdict(code)) return arrayField(frame, 'handshake', length)
  if (code === 'needs-update') {
    const reason = `the peer ${remotePeer} does not know something that this device needs`
    throw needsUpdate(reason, 'the peer')
  }
  throw new PeerplaneError(code, `the peer did not let this device in${byWhichClock(code, self)}`)
}

/** A verdict about time names the clocks that may be wrong. */
function byWhichClock(code: ErrorCode, { chain, clock }: Self): string {
  const last = chain.at(-1)
  if (code === 'not-a-member' || !last) return ''
  const end = dateText(last.grant.notAfter)
  return `, by the clock of the peer: the invitation ends at ${end}, and the clock of this device says ${dateText(clock.now())}`
}

async function receiveAny(channel: Channel): Promise<Value> {
  const frame = await channel.receive()
  if (frame.length > limits.handshakeBytes) throw failed(`a frame has ${frame.length} bytes`)
  return decodeCanonical(frame)
}

const isVerdict = (code: string): code is ErrorCode =>
  (VERDICTS as readonly string[]).includes(code)

const failed = (reason: string, cause?: unknown): PeerplaneError =>
  new PeerplaneError('handshake-failed', reason, { cause })
