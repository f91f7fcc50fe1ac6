import {
  arrayField,
  bytesField,
  checkInvitationTime,
  dateText,
  decodeAdmission,
  decodeCanonical,
  encodeCanonical,
  equalSecrets,
  limits,
  listField,
  PeerplaneError,
  roleOf,
  verifyAdmissions,
  wholeField,
  type Admission,
  type Channel,
  type Clock,
  type Crypto,
  type DeviceId,
  type ErrorCode,
  type Identity,
  type Random,
  type Scheduler,
  type SigningKey,
  type Space,
  type Value,
} from '@peerplane/core'

import { readStatement, signStatement, statementToValue, verifyStatement } from './statement.ts'
import { contextOf, proofOf } from './transcript.ts'

/** What a device brings to its handshakes. */
export interface Self {
  readonly space: Space
  readonly key: SigningKey
  readonly chain: readonly Admission[]
  readonly crypto: Crypto
  readonly random: Random
  readonly clock: Clock
  readonly scheduler: Scheduler
  /** Whether a device has been seen in this space before. */
  readonly isKnown: (device: DeviceId) => boolean
}

/** Who is at the other end, with the evidence. */
export interface Proven extends Identity {
  readonly chain: readonly Admission[]
}

const VERSION = 1
const NONCE_BYTES = 32
const MAC_BYTES = 32
const ADMITTED = 'admitted'
/** Verdicts that are sent to a peer that knows the secret of the space, so that its user learns why. */
const VERDICTS: readonly ErrorCode[] = ['expired-invitation', 'wrong-clock', 'not-a-member']
const FINAL: readonly ErrorCode[] = [...VERDICTS, 'handshake-failed']

/**
 * Mutual proof of membership over a new channel, in canonical CBOR:
 *
 *     initiator                                            responder
 *     [version, nonce]                                 →
 *                                                      ←   [version, nonce]
 *     [mac]                                            →                        knows the secret of the space
 *                                                      ←   [mac, statement, chain]
 *     [statement, chain]                               →
 *                                                      ←   ['admitted']         or, from either side: [error code]
 *
 * Macs and statements cover both network ids, which the transport has authenticated, both nonces and the side: none can be replayed,
 * reflected, or passed on by somebody in the middle. A responder shows a stranger a nonce and nothing else.
 *
 * Rejects with `expired-invitation` or `wrong-clock` (of any device of the chain that is new here, on either side: otherwise a device that comes too late could
 * invite itself once more), `not-a-member`, or `handshake-failed` for everything else, silence of `limits.handshakeMs` included.
 */
export async function authenticate(channel: Channel, self: Self): Promise<Proven> {
  let cancel: (() => void) | undefined
  const silence = new Promise<never>((_, reject) => {
    cancel = self.scheduler.after(limits.handshakeMs, () => {
      reject(failed(`the peer did not prove membership within ${limits.handshakeMs} ms`))
    })
  })
  const exchange = channel.initiator ? initiate(channel, self) : respond(channel, self)
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
  const initiatorNonce = self.random.bytes(NONCE_BYTES)
  await send(channel, [VERSION, initiatorNonce])
  const responderNonce = readHello(await receive(channel, 2))
  const nonces = { initiatorNonce, responderNonce }
  const transcript = { initiator: channel.localPeer, responder: channel.remotePeer, ...nonces }
  await send(channel, [proofOf(self.space, transcript, 'initiator')])
  const [proof, ...claim] = await receive(channel, 3)
  checkProof(proof, proofOf(self.space, transcript, 'responder'))
  const peer = await judge(channel, self, contextOf(self.space, transcript, 'responder'), claim)
  await send(channel, await credentials(self, contextOf(self.space, transcript, 'initiator')))
  const [verdict] = await receiveFromMember(channel, self, 1)
  if (verdict !== ADMITTED) throw failed('the peer gave no verdict')
  return peer
}

async function respond(channel: Channel, self: Self): Promise<Proven> {
  const initiatorNonce = readHello(await receive(channel, 2))
  const responderNonce = self.random.bytes(NONCE_BYTES)
  await send(channel, [VERSION, responderNonce])
  const nonces = { initiatorNonce, responderNonce }
  const transcript = { initiator: channel.remotePeer, responder: channel.localPeer, ...nonces }
  const [proof] = await receive(channel, 1)
  checkProof(proof, proofOf(self.space, transcript, 'initiator'))
  const own = await credentials(self, contextOf(self.space, transcript, 'responder'))
  await send(channel, [proofOf(self.space, transcript, 'responder'), ...own])
  const claim = await receiveFromMember(channel, self, 2)
  const peer = await judge(channel, self, contextOf(self.space, transcript, 'initiator'), claim)
  await send(channel, [ADMITTED])
  return peer
}

function checkProof(theirs: Value | undefined, expected: Uint8Array): void {
  if (!equalSecrets(bytesField(theirs, 'handshake.mac', MAC_BYTES), expected)) {
    throw failed('the peer does not know the secret of the space')
  }
}

async function credentials(self: Self, context: Uint8Array): Promise<Value[]> {
  const statement = await signStatement(context, self.key)
  return [statementToValue(statement), self.chain.map((admission) => admission.bytes)]
}

/** What a claim `[statement, chain]` proves; a verdict that the other side may know is sent before it is thrown. */
async function judge(
  channel: Channel,
  self: Self,
  context: Uint8Array,
  claim: readonly Value[],
): Promise<Proven> {
  try {
    const statement = readStatement(claim[0])
    const chain = listField(claim[1], 'handshake.chain', limits.admissionChain, (value, name) =>
      decodeAdmission(bytesField(value, name)),
    )
    if (!(await verifyStatement(statement, context, self.crypto))) {
      throw failed('the statement is not signed by the device it names, for this handshake')
    }
    await checkMembership(statement.device, chain, self)
    const anchor = roleOf(self.space.record, chain) === 'anchor'
    return { device: statement.device, anchor, chain }
  } catch (error) {
    if (error instanceof PeerplaneError && isVerdict(error.code)) await send(channel, [error.code])
    throw error
  }
}

async function checkMembership(
  device: DeviceId,
  chain: readonly Admission[],
  self: Self,
): Promise<void> {
  if (!(await verifyAdmissions(self.space.record, device, chain, self.crypto))) {
    throw new PeerplaneError('not-a-member', 'the admissions do not lead to the device')
  }
  // A known device was let in with all before it; everybody after it is new here.
  const lastKnown = chain.findLastIndex((admission) => self.isKnown(admission.device))
  const now = self.clock.now()
  for (const { grant } of chain.slice(lastKnown + 1)) checkInvitationTime(grant.notAfter, now)
}

function readHello([version, nonce]: readonly Value[]): Uint8Array {
  const spoken = wholeField(version, 'handshake.version')
  if (spoken !== VERSION) throw failed(`the peer speaks version ${spoken} of the protocol`)
  return bytesField(nonce, 'handshake.nonce', NONCE_BYTES)
}

const send = (channel: Channel, value: Value): Promise<void> => channel.send(encodeCanonical(value))

/** The next frame: an array of `length` items. */
const receive = async (channel: Channel, length: number): Promise<readonly Value[]> =>
  arrayField(await receiveAny(channel), 'handshake', length)

/** The next frame of a peer that knows the secret: an array of `length` items, or a verdict, which is thrown. */
async function receiveFromMember(
  channel: Channel,
  self: Self,
  length: number,
): Promise<readonly Value[]> {
  const frame = await receiveAny(channel)
  const [code] = arrayField(frame, 'handshake')
  if (typeof code === 'string' && isVerdict(code)) {
    throw new PeerplaneError(code, `the peer did not let this device in${byWhichClock(code, self)}`)
  }
  return arrayField(frame, 'handshake', length)
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
