import {
  arrayField,
  bytesField,
  concatBytes,
  decodeAdmission,
  decodeCanonical,
  domain,
  encodeCanonical,
  equalBytes,
  fromHex,
  hash,
  HASH_BYTES,
  limits,
  mac,
  PeerplaneError,
  verifyAdmissions,
  wholeField,
  type Channel,
  type Value,
} from '@peerplane/core'

import type { TestDevice } from './device.ts'
import { networkTo } from './network.ts'
import type { Tester } from './tester.ts'

/** What an initiator says; everything has a default that is right. */
export interface Saying {
  readonly secret?: Uint8Array
  /** Fields of the hello before the nonce. */
  readonly versions?: readonly [number, number]
  readonly extensions?: readonly Value[]
  readonly mac?: (right: Uint8Array) => Uint8Array
  readonly signature?: (right: Uint8Array) => Uint8Array
  readonly chain?: TestDevice['chain']
}

/** What a responder answered: its frames, until it closed the connection or said no more. */
export interface Answer {
  readonly frames: readonly Uint8Array[]
  readonly closed: boolean
}

const NONCE_BYTES = 32
/** A responder that says no more, and does not close, gets this long for each frame. */
const PATIENCE_MS = limits.handshakeMs + 3_000
const ATTEMPTS = 3

/** Calls the peer and talks to it until the connection is closed. */
export async function call<Result>(
  tester: Tester,
  talk: (channel: Channel) => Promise<Result>,
): Promise<Result> {
  for (let left = ATTEMPTS - 1; ; left--) {
    const result = await callOnce(tester, talk)
    if (result !== undefined) return result.value
    if (left === 0) throw new PeerplaneError('unreachable', `${tester.address} does not answer`)
  }
}

async function callOnce<Result>(
  tester: Tester,
  talk: (channel: Channel) => Promise<Result>,
): Promise<{ readonly value: Result } | undefined> {
  let settle: (result: { readonly value: Result } | undefined) => void = () => undefined
  const done = new Promise<{ readonly value: Result } | undefined>((resolve) => (settle = resolve))
  const network = await networkTo(tester, (name) => {
    if (name === 'address.unreachable') settle(undefined)
  })
  tester.opened.add({ close: () => network.stop() })
  const cancel = tester.scheduler.after(3 * PATIENCE_MS, () => settle(undefined))
  await network.start({
    authenticate: async (channel) => {
      settle({ value: await talk(channel) })
      throw new PeerplaneError('closed', 'all is said')
    },
    connected: () => undefined,
    frame: async () => undefined,
    disconnected: () => undefined,
    announcement: () => true,
  })
  const result = await done
  cancel()
  await network.stop()
  return result
}

/** The next frame; `undefined` if the connection is closed before it comes, `null` if it does not come. */
export function receive(
  { scheduler }: Tester,
  channel: Channel,
): Promise<Uint8Array | undefined | null> {
  return new Promise((resolve) => {
    const cancel = scheduler.after(PATIENCE_MS, () => resolve(null))
    channel
      .receive()
      // Ignored: that it was closed is the answer.
      .catch(() => undefined)
      .then((frame) => {
        cancel()
        resolve(frame)
      }, resolve)
  })
}

/** Goes through a handshake as an initiator. What the peer says is kept as it is. */
export async function shake(
  tester: Tester,
  channel: Channel,
  device: TestDevice,
  saying: Saying = {},
): Promise<Answer & HeardHello> {
  const { invitation, random } = tester
  const { secret = invitation.space.secret, versions = [1, 1], extensions = [] } = saying
  const hello = encodeCanonical([
    ...versions,
    random.bytes(NONCE_BYTES),
    ...(extensions.length > 0 ? [extensions] : []),
  ])
  const space = fromHex(invitation.space.record.id)
  const contextOf = (answer: Uint8Array, side: string): Uint8Array =>
    hash(
      'handshake-context',
      encodeCanonical([space, channel.localPeer, channel.remotePeer, hello, answer, side]),
    )
  const selector = mac(secret, 'select', encodeCanonical([space, channel.remotePeer])).slice(0, 16)
  const right = mac(secret, 'handshake', contextOf(new Uint8Array(0), 'initiator'))
  await channel.send(encodeCanonical([selector, hello, saying.mac?.(right) ?? right]))
  const frames: Uint8Array[] = []
  const hear = async (): Promise<Uint8Array | undefined | null> => {
    const frame = await receive(tester, channel)
    if (frame) frames.push(frame)
    return frame
  }
  let last = await hear()
  const answer = last ? bytesOf(last) : undefined
  if (answer) last = await hear()
  if (answer && last) {
    const context = contextOf(answer, 'initiator')
    const message = concatBytes(
      domain('statement'),
      encodeCanonical([context, device.key.publicKey]),
    )
    const signature = await device.key.sign(message)
    const claim = [device.key.publicKey, saying.signature?.(signature) ?? signature]
    const chain = (saying.chain ?? device.chain).map(({ bytes }) => bytes)
    // Ignored: the peer may have closed the connection, which is heard next.
    await channel.send(encodeCanonical([claim, chain])).catch(() => undefined)
    last = await hear()
  }
  const responder = answer && contextOf(answer, 'responder')
  return { frames, closed: last === undefined, responder, secret }
}

/** What the proofs of a responder cover. */
export interface HeardHello {
  /** Its context; `undefined` if it said no hello. */
  readonly responder: Uint8Array | undefined
  readonly secret: Uint8Array
}

/** The hello in the first frame of a responder, if it has that form. */
function bytesOf(frame: Uint8Array): Uint8Array | undefined {
  try {
    return bytesField(arrayField(decodeCanonical(frame), 'the frame', 2)[0], 'the hello')
  } catch {
    // Ignored: the frame is judged later.
    return undefined
  }
}

/** Reads the hello of a responder. Throws for another form. */
export function readHello(frame: Uint8Array): void {
  const [hello] = arrayField(decodeCanonical(frame), 'the first frame', 2)
  const fields = arrayField(decodeCanonical(bytesField(hello, 'the hello')), 'the hello')
  const lowest = wholeField(fields[0], 'the lowest version')
  wholeField(fields[1], 'the highest version', Math.max(1, lowest))
  bytesField(fields[2], 'the nonce', NONCE_BYTES)
}

/** Whether the mac of a responder is right. */
export const isProof = (frame: Uint8Array, { responder, secret }: HeardHello): boolean =>
  equalBytes(
    bytesField(arrayField(decodeCanonical(frame), 'the first frame', 2)[1], 'the mac', HASH_BYTES),
    mac(secret, 'handshake', responder!),
  )

/** Whether the statement of a responder is signed for this handshake, and whether its chain leads to the device. */
export async function readClaim(
  { crypto, invitation }: Tester,
  frame: Uint8Array,
  { responder }: HeardHello,
): Promise<{ readonly signed: boolean; readonly admitted: boolean }> {
  const [statement, encoded] = arrayField(decodeCanonical(frame), 'the second frame', 2)
  const [device, signature] = arrayField(statement, 'the statement', 2)
  const key = bytesField(device, 'the device', HASH_BYTES)
  const message = concatBytes(domain('statement'), encodeCanonical([responder!, key]))
  const signed = await crypto.verify(key, message, bytesField(signature, 'the signature', 64))
  const chain = arrayField(encoded, 'the chain').map((each) =>
    decodeAdmission(bytesField(each, 'an admission')),
  )
  const id = Array.from(key, (byte) => byte.toString(16).padStart(2, '0')).join(
    '',
  ) as TestDevice['id']
  return { signed, admitted: await verifyAdmissions(invitation.space.record, id, chain, crypto) }
}
