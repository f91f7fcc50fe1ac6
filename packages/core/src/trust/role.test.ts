import fc from 'fast-check'
import { expect, it } from 'vitest'

import { fromHex, toHex } from '../bytes.ts'
import { decodeCanonical, encodeCanonical } from '../codec.ts'
import type { DeviceId } from '../ids.ts'
import { deterministicCrypto as crypto, seededRandom } from '../testing/index.ts'
import {
  admit,
  decodeAdmission,
  mayMakeAnchors,
  roleOf,
  signGrant,
  verifyAdmissions,
  type Admission,
} from './admission.ts'
import type { Role } from './role.ts'
import { createSpace, decodeSpaceRecord, type SpaceRecord } from './space.ts'

const random = seededRandom(12)
const keyOf = (fill: number) => crypto.keyFromSeed(new Uint8Array(32).fill(fill))
const role = fc.constantFrom<Role>('member', 'anchor')

/** A space, and a chain of devices that were invited with `roles`, one by the other. */
async function chainOf(creator: Role, roles: readonly Role[]): Promise<[SpaceRecord, Admission[]]> {
  let issuer = await keyOf(0)
  const { record } = createSpace(toHex(issuer.publicKey) as DeviceId, creator, random)
  const inviteKey = await keyOf(100)
  const chain: Admission[] = []
  for (const [i, given] of roles.entries()) {
    const fields = { space: record.id, inviteKey: inviteKey.publicKey, role: given, notAfter: 1 }
    const device = await keyOf(i + 1)
    const grant = await signGrant(fields, issuer)
    chain.push(await admit(grant, toHex(device.publicKey) as DeviceId, inviteKey))
    issuer = device
  }
  return [record, chain]
}

it('only the creator or an anchor can make an anchor; grants of other members make only members', async () => {
  await fc.assert(
    fc.asyncProperty(role, fc.array(role, { maxLength: 5 }), async (creator, roles) => {
      const [space, chain] = await chainOf(creator, roles)
      // The rule again, one device after the other.
      let is = creator
      let mayMake = true
      for (const given of roles) {
        is = mayMake && given === 'anchor' ? 'anchor' : 'member'
        mayMake = is === 'anchor'
      }
      expect(roleOf(space, chain)).toBe(is)
      expect(mayMakeAnchors(space, chain)).toBe(mayMake)
      // A role that is granted in vain makes nobody a stranger.
      const device = chain.at(-1)?.device ?? space.creator
      expect(await verifyAdmissions(space, device, chain, crypto)).toBe(true)
    }),
    { numRuns: 60 },
  )
})

it('is what the issuer has signed, and the creator in the space', async () => {
  const [space, [admission]] = await chainOf('member', ['member'])
  const [grant, ...rest] = decodeCanonical(admission!.bytes) as [Uint8Array[], ...Uint8Array[]]
  const forged = decodeAdmission(encodeCanonical([grant.with(3, 1 as never), ...rest]))
  expect(forged.grant.role).toBe('anchor')
  expect(await verifyAdmissions(space, admission!.device, [forged], crypto)).toBe(false)

  const record = decodeCanonical(space.bytes) as never[]
  const other = decodeSpaceRecord(encodeCanonical(record.with(2, 1 as never)))
  expect(other.role).toBe('anchor')
  expect(other.id).not.toBe(space.id)
})

it('that has no name is malformed', async () => {
  const [space, [admission]] = await chainOf('anchor', ['anchor'])
  const [grant, ...rest] = decodeCanonical(admission!.bytes) as [Uint8Array[], ...Uint8Array[]]
  const record = decodeCanonical(space.bytes) as never[]
  for (const wrong of [2, -1, 0.5, true, 'anchor', fromHex('01'), null] as never[]) {
    const read = [
      () => decodeAdmission(encodeCanonical([grant.with(3, wrong), ...rest])),
      () => decodeSpaceRecord(encodeCanonical(record.with(2, wrong))),
    ]
    for (const each of read) expect(each).toThrow(expect.objectContaining({ code: 'malformed' }))
  }
})
