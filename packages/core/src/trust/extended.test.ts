import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { toBase64Url, toHex } from '../bytes.ts'
import { decodeCanonical, encodeCanonical } from '../codec.ts'
import type { DeviceId } from '../ids.ts'
import { withExtensions, type Extensions } from '../log/extensions.ts'
import { deterministicCrypto as crypto, seededRandom } from '../testing/index.ts'
import type { Value } from '../value.ts'
import {
  admit,
  decodeAdmission,
  grantToValue,
  isChainUnderstood,
  readGrant,
  roleOf,
  signGrant,
  verifyAdmissions,
  type Admission,
} from './admission.ts'
import { createInvitation, encodeInvitation, readInvitation } from './invitation.ts'
import { createSpace, decodeSpaceRecord, type Space } from './space.ts'

/* Records about membership with keys that this version does not know. */

const random = seededRandom(5)
const keyOf = (fill: number) => crypto.keyFromSeed(new Uint8Array(32).fill(fill))
const creator = await keyOf(1)
const guest = await keyOf(2)
const inviteKey = await keyOf(3)
const device = toHex(guest.publicKey) as DeviceId
const space = createSpace(toHex(creator.publicKey) as DeviceId, 'anchor', random)

const extensions: fc.Arbitrary<Extensions> = fc
  .uniqueArray(fc.tuple(fc.nat({ max: 99 }), fc.constantFrom<Value>(1, 'a', [null])), {
    maxLength: 3,
    selector: ([key]) => key,
  })
  .map((pairs) => pairs.sort(([a], [b]) => a - b))

async function admitted(
  ofGrant: Extensions,
  ofAdmission: Extensions,
  to: Space = space,
): Promise<Admission> {
  const fields = {
    space: to.record.id,
    inviteKey: inviteKey.publicKey,
    role: 'anchor' as const,
    notAfter: 1,
  }
  const extended = ofGrant.length > 0 ? { extensions: ofGrant } : {}
  return admit(await signGrant({ ...fields, ...extended }, creator), device, inviteKey, ofAdmission)
}

const areKnown = (...all: Extensions[]): boolean => all.flat().every(([key]) => key % 2 === 1)

describe('a grant and an admission with unknown keys', () => {
  it('are kept as they are, are signed with the keys, and count only if no key is critical', async () => {
    await fc.assert(
      fc.asyncProperty(extensions, extensions, async (ofGrant, ofAdmission) => {
        const admission = await admitted(ofGrant, ofAdmission)
        expect(admission.grant.extensions ?? []).toEqual(ofGrant)
        expect(admission.extensions ?? []).toEqual(ofAdmission)
        expect(readGrant(grantToValue(admission.grant))).toEqual(admission.grant)
        expect(decodeAdmission(admission.bytes)).toEqual(admission)
        const chain = [admission]
        expect(await verifyAdmissions(space.record, device, chain, crypto)).toBe(true)
        expect(isChainUnderstood(chain)).toBe(areKnown(ofGrant, ofAdmission))
        const role = areKnown(ofGrant, ofAdmission) ? 'anchor' : 'member'
        expect(roleOf(space.record, chain)).toBe(role)
      }),
      { numRuns: 60 },
    )
  })

  it('are refused if somebody has added, left out or changed a key', async () => {
    const lists: Extensions[] = [[], [[1, 'a']], [[1, 'b']], [[2, 'a']]]
    for (const signed of lists) {
      for (const shown of lists) {
        const isSame = signed === shown
        const [grant, who, signature] = decodeCanonical(
          (await admitted([], signed)).bytes,
        ) as Value[]
        const admission = withExtensions([grant!, who!, signature!], shown)
        const one = decodeAdmission(encodeCanonical(admission))
        expect(await verifyAdmissions(space.record, device, [one], crypto)).toBe(isSame)
        const original = await admitted(signed, [])
        const { extensions: _, ...bare } = original.grant
        const changed = shown.length > 0 ? { ...bare, extensions: shown } : bare
        const other = { ...original, grant: changed }
        expect(await verifyAdmissions(space.record, device, [other], crypto)).toBe(isSame)
      }
    }
  })
})

describe('an invitation with unknown keys', () => {
  const options = { role: 'member' as const, notAfter: 9, addresses: [] }
  const from = { space, chain: [], key: creator }
  const encoded = (text: string): Value[] =>
    decodeCanonical(Uint8Array.from(Buffer.from(text.slice(4), 'base64url'))) as Value[]
  const textOf = (fields: readonly Value[]): string => `pp1.${toBase64Url(encodeCanonical(fields))}`
  const read = (text: string) =>
    readInvitation(text, { crypto }).then(
      () => 'read',
      ({ code }: { code: string }) => code,
    )

  it.each<[string, Value[], string]>([
    ['an ignorable key', [1, 'a'], 'read'],
    ['a critical key', [1, 'a', 2, 'b'], 'needs-update'],
  ])('that has %s', async (_, list, outcome) => {
    const plain = await createInvitation(from, options, { crypto, random })
    const fields = encoded(encodeInvitation(plain))
    expect(await read(textOf([...fields, list]))).toBe(outcome)
    // The same in its grant.
    const keys: Extensions =
      list.length > 2
        ? [
            [1, 'a'],
            [2, 'b'],
          ]
        : [[1, 'a']]
    const { space: id, inviteKey: key, role, notAfter } = plain.grant
    const fieldsOfGrant = { space: id, inviteKey: key, role, notAfter, extensions: keys }
    const grant = await signGrant(fieldsOfGrant, creator)
    expect(await read(encodeInvitation({ ...plain, grant }))).toBe(outcome)
    // And in the record of its space.
    const record = [...(decodeCanonical(space.record.bytes) as Value[]), list]
    const other = { ...space, record: decodeSpaceRecord(encodeCanonical(record)) }
    const invitation = await createInvitation({ ...from, space: other }, options, {
      crypto,
      random,
    })
    expect(await read(encodeInvitation(invitation))).toBe(outcome)
  })

  it('or of a later version asks for an update', async () => {
    const record = decodeCanonical(space.record.bytes) as Value[]
    const later = encodeCanonical([2, ...record.slice(1), 'whatever'])
    expect(() => decodeSpaceRecord(later)).toThrow(
      expect.objectContaining({ code: 'needs-update' }),
    )
    const fields = encoded(
      encodeInvitation(await createInvitation(from, options, { crypto, random })),
    )
    expect(await read(textOf([fields[0]!, later, ...fields.slice(2)]))).toBe('needs-update')
    expect(await read(textOf([2, ...fields.slice(1)]))).toBe('needs-update')
    expect(await read('https://a.example/#join=pp2.AAAA')).toBe('needs-update')
  })
})
