import {
  decodeCanonical,
  encodeBatch,
  encodeCanonical,
  type Batch,
  type Summary,
  type Value,
  type WrittenOpening,
} from '@peerplane/core'

import { joinWith, type TestDevice } from '../device.ts'
import type { Heard } from '../heard.ts'
import { Probe } from '../probe.ts'
import { HandmadeSession } from '../session.ts'
import type { Tester } from '../tester.ts'

/** A link over which the peer has spoken; of a new device, unless one is given. */
export async function arrive(tester: Tester, device?: TestDevice): Promise<Probe> {
  const probe = await Probe.open(tester, device ?? (await joinWith(tester.invitation, tester)))
  await probe.wait(rootOf)
  return probe
}

/** The summary of the empty path in a message. */
export function rootOf(message: Heard): Summary | undefined {
  if (message.kind !== 'summary') return undefined
  return message.nodes.find(({ path }) => path === '')
}

/** A session of the device of a link. */
export function begin(
  tester: Tester,
  { device }: Probe,
  opening?: WrittenOpening,
): HandmadeSession {
  const session = new HandmadeSession(device, tester, opening)
  tester.ledger.knows(session.record)
  return session
}

/** The bytes of a batch in a form that it should not have: what it says is the same, so its signature is valid. */
export function misshapen(batch: Batch, change: (fields: Value[]) => Value[]): Uint8Array {
  const fields = decodeCanonical(encodeBatch(batch)) as readonly Value[]
  return encodeCanonical(change([...fields]))
}

/** What a message of a kind says, for `ask` and `wait`. */
export const reasonOfBye = (message: { kind: string; reason?: string }): string | undefined =>
  message.kind === 'bye' ? message.reason : undefined
