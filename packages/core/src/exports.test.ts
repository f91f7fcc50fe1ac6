import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { encodeCanonical } from './codec.ts'
import * as exported from './index.ts'
import type { BatchId, SessionId } from './ids.ts'
import {
  declarationTable,
  deterministicCrypto as crypto,
  expectRows,
  faultsOf,
  isData,
  isName,
  type FunctionTable,
  type Parameter,
} from './testing/index.ts'
import type { Value } from './value.ts'

const row = (
  takes: Parameter['takes'],
  pass: Parameter['pass'],
  codes: readonly string[] = ['invalid-input', 'too-large'],
): Parameter => ({ takes, pass, codes })
const anything = (): boolean => true
const never = (): boolean => false

/** What takes values of applications. */
const ofApplications: FunctionTable = {
  ...declarationTable(exported),
  takeDeclarations: {
    entities: row(
      (value) => isData(value) && Array.isArray(value) && value.length === 0,
      exported.takeDeclarations,
      ['invalid-declaration'],
    ),
    'an entity': row(never, (each) => exported.takeDeclarations([each]), ['invalid-declaration']),
  },
  checkName: { name: row(isName, (value) => exported.checkName(value, 'a name')) },
  copyPlain: {
    value: row(isData, (value) =>
      exported.copyPlain(value, 'input', { depth: 9, size: exported.limits.inputSize }),
    ),
  },
  readInvitation: {
    link: row(never, (value) => exported.readInvitation(value as string, { crypto }), [
      'invalid-invitation',
    ]),
  },
  // Failures are put into words by them: they take whatever was thrown.
  describe: { value: row(anything, exported.describe) },
  reasonOf: { error: row(anything, exported.reasonOf) },
  asPeerplaneError: {
    error: row(anything, (value) => exported.asPeerplaneError(value, 'store-failed')),
  },
  codeOf: { error: row(anything, exported.codeOf) },
  isA: { value: row(anything, (value) => exported.isA(Error, value)) },
  reading: {
    thrown: row(
      never,
      (value) =>
        exported.reading(
          () => {
            throw value as Error
          },
          () => new exported.PeerplaneError('invalid-input', 'it cannot be read'),
        ),
      ['invalid-input'],
    ),
  },
}

const id = '0'.repeat(64)
const onValue =
  (read: (value: Value) => unknown) =>
  (bytes: Uint8Array): unknown =>
    read(exported.decodeCanonical(bytes))

/** What takes bytes of strangers, or values that such bytes stood for. */
const ofStrangers: Readonly<Record<string, (bytes: Uint8Array) => unknown>> = {
  decodeCanonical: exported.decodeCanonical,
  decodeAdmission: exported.decodeAdmission,
  decodeBatch: (bytes) => exported.decodeBatch(bytes, id as SessionId, id as BatchId, 1),
  decodeForkProof: (bytes) => exported.decodeForkProof(bytes, id as SessionId),
  skimBatch: (bytes) => exported.skimBatch(bytes),
  decodeHeader: exported.decodeHeader,
  decodeOpening: (bytes) => exported.decodeOpening(bytes),
  decodeSpaceRecord: exported.decodeSpaceRecord,
  fromUtf8: exported.fromUtf8,
  valueToJson: onValue(exported.valueToJson),
  readGrant: onValue(exported.readGrant),
  readEntity: onValue((value) => exported.readEntity(value, 'entity')),
  readTip: onValue((value) => exported.readTip(value, 'tip')),
  arrayField: onValue((value) => exported.arrayField(value, 'field', 3)),
  bytesField: onValue((value) => exported.bytesField(value, 'field', 32)),
  listField: onValue((value) =>
    exported.listField(value, 'field', 2, exported.textField as () => string),
  ),
  textField: onValue((value) => exported.textField(value, 'field', 4)),
  wholeField: onValue((value) => exported.wholeField(value, 'field')),
}

/** What packages of the product call with what they have checked or made. */
const inner =
  `HybridClock Services Timers TipTrie WrittenSession admit batchIdOf batchMessage branchOf canPass checkInvitationTime clockDoubt commitIdOf commitSize
  compareBytes compareTexts compareTimestamps concatBytes createInvitation createSpace dateText depsDigest domain encodeBatch
  encodeCanonical encodeForkProof encodeHeader encodeInvitation encodeOpening entityKey equalBytes equalData equalSecrets extensionsAfter
  firstIdOf firstPrevious firstSeq forkedTip freeze isBytesValue jsonToValue fromBase64Url fromHex grantToValue halfPair hash invitationLink
  isChainUnderstood isForkedTip isPlain isUnderstood lastSeq mac makeBatch makeCommit makeOpening markOf mayMakeAnchors mayName merklePath merkleRoot prefixOf roleOf saltOf sectionLeaf sectionsRoot
  sessionIdOf setProperty signBatch signGrant splitEntityKey storedShape tipAfter tipToValue toBase64Url toHex toSparse traceTo utf8 verifyAdmissions
  verifyBatch verifyForkProof verifyMerklePath verifySparse weightOf withCanonical withExtensions`.split(
    /\s+/,
  )

describe('the functions of the package', () => {
  it('every exported function has a row in a table, or is listed as internal', () =>
    expectRows(exported, ofApplications, [...Object.keys(ofStrangers), ...inner]))

  it.each(Object.entries(ofApplications))(
    'valid arguments are accepted, and all others refused with a code: %s',
    async (_, parameters) => expect(await faultsOf(parameters)).toEqual([]),
  )

  it.each(Object.entries(ofStrangers))(
    'any bytes are read, or refused with a code: %s',
    (_, read) => {
      fc.assert(
        fc.property(anyBytes, (bytes) => {
          expect(['read', 'malformed', 'too-large', 'needs-update']).toContain(
            cameOf(() => read(bytes)),
          )
        }),
        { numRuns: 1000 },
      )
    },
  )
})

/** `read`, or the code of the error; another failure is thrown. */
function cameOf(read: () => unknown): string {
  try {
    read()
    return 'read'
  } catch (error) {
    if (error instanceof exported.PeerplaneError) return error.code
    throw error
  }
}

const leaf = fc.oneof(
  fc.integer({ min: -2, max: 9 }),
  fc.constantFrom(null, true, 0.5, 2 ** 53 - 1, 2 ** 60, 'a', 'a/b', ''),
  fc.constantFrom(0, 16, 32, 64).map((length) => new Uint8Array(length)),
)

/** What strangers may have put into bytes. */
const anyValue: fc.Arbitrary<Value> = fc.letrec<{ value: Value }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    leaf,
    fc.array(tie('value'), { maxLength: 7 }),
    fc.dictionary(fc.string({ maxLength: 3 }), tie('value'), { maxKeys: 2 }),
  ),
})).value

/** Bytes of the canonical form, of that form with one changed, and of no form. */
const anyBytes: fc.Arbitrary<Uint8Array> = fc.oneof(
  anyValue.map(encodeCanonical),
  fc.tuple(anyValue, fc.nat(), fc.nat(255)).map(([value, at, byte]) => {
    const encoded = encodeCanonical(value)
    encoded[at % encoded.length] = byte
    return encoded
  }),
  fc.uint8Array({ maxLength: 40 }),
)
