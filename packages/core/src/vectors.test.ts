import { readFileSync, writeFileSync } from 'node:fs'

import { ed25519 } from '@noble/curves/ed25519.js'
import { expect, test } from 'vitest'

import {
  admit,
  branchOf,
  commitIdOf,
  createInvitation,
  decodeBatch,
  decodeForkProof,
  depsDigest,
  encodeBatch,
  encodeCanonical,
  encodeForkProof,
  encodeInvitation,
  encodeOpening,
  entityKey,
  firstPrevious,
  forkedTip,
  fromHex,
  hash,
  HybridClock,
  lastSeq,
  mac,
  makeBatch,
  makeCommit,
  markOf,
  merklePath,
  merkleRoot,
  readInvitation,
  saltOf,
  sessionIdOf,
  sectionLeaf,
  signBatch,
  signGrant,
  makeOpening,
  tipToValue,
  TipTrie,
  toHex,
  toSparse,
  verifyAdmissions,
  verifyBatch,
  verifyForkProof,
  verifySparse,
  type Batch,
  type Commit,
  type Crypto,
  type DeviceId,
  type ForkProof,
  type OpeningRecord,
  type Section,
  type SessionId,
  type SigningKey,
  type Timestamp,
  type Tip,
  type Value,
} from './index.ts'
import { acceptedSignatures, refusedSignatures } from './testing/signature-cases.ts'
import { decodeSpaceRecord } from './trust/space.ts'

/*
 * Canonical test vectors of the protocol: docs/protocol-vectors.json. An independent implementation that derives every field from the
 * given seeds speaks this protocol. With UPDATE_VECTORS=1 the test writes the file again; a change of it is a change of the protocol.
 */

const file = new URL('../../../docs/protocol-vectors.json', import.meta.url)

const key = (fill: number): SigningKey => {
  const seed = new Uint8Array(32).fill(fill)
  return {
    publicKey: ed25519.getPublicKey(seed),
    sign: async (message) => ed25519.sign(message, seed),
  }
}

const crypto: Crypto = {
  keyFromSeed: async (seed) => ({
    publicKey: ed25519.getPublicKey(seed),
    sign: async (message) => ed25519.sign(message, seed),
  }),
  verify: async (publicKey, message, signature) => ed25519.verify(signature, message, publicKey),
}

const creator = key(1)
const guest = key(5)
const device = (signingKey: SigningKey): DeviceId => toHex(signingKey.publicKey) as DeviceId
const filled = (length: number, fill: number): Uint8Array => new Uint8Array(length).fill(fill)
const bytes = (value: Uint8Array): { bytes: number; hex: string } => ({
  bytes: value.length,
  hex: toHex(value),
})

/** The seed of all batches. */
const seed = filled(16, 7)
const section = (id: string, body: Uint8Array): Section => ({
  entity: entityKey('tally', id),
  modelVersion: 1,
  body,
})
const commit = (session: SessionId, seq: number, deps: Batch[], sections: Section[]): Commit =>
  makeCommit(
    session,
    {
      seq,
      deps: deps.map((dep) => ({ session: dep.session, seq: lastSeq(dep) })),
      digest: depsDigest(deps.map(({ id }) => id)),
      time: { ms: 1_790_000_000_000 + seq, counter: 0 },
    },
    sections,
    seed,
  )

async function compute(): Promise<Record<string, unknown>> {
  const secret = filled(32, 3)
  const spaceBytes = encodeCanonical([
    1,
    creator.publicKey,
    1,
    hash('space-secret', secret),
    filled(16, 2),
  ])
  const record = decodeSpaceRecord(spaceBytes)
  const space = { record, secret }

  const inviteSeed = filled(32, 4)
  const invitation = await createInvitation(
    { space, chain: [], key: creator },
    { role: 'member', notAfter: 1_800_000_000_000, addresses: ['/ip4/127.0.0.1/tcp/4001/ws'] },
    { crypto, random: { bytes: () => inviteSeed } },
  )
  const admission = await admit(
    invitation.grant,
    device(guest),
    await crypto.keyFromSeed(inviteSeed),
  )

  const extendedGrant = await signGrant(
    {
      space: record.id,
      inviteKey: invitation.grant.inviteKey,
      role: 'member',
      notAfter: 1_800_000_000_000,
      extensions: [[1, 'odd']],
    },
    creator,
  )
  const extendedAdmission = await admit(
    extendedGrant,
    device(guest),
    await crypto.keyFromSeed(inviteSeed),
    [[2, [null]]],
  )

  const first = makeOpening({
    space: record.id,
    device: device(creator),
    parents: [],
    admission: fromHex(record.id),
    nonce: filled(16, 6),
  })
  const c1 = commit(first.session, 1, [], [section('lunch', encodeCanonical([[], [['votes', 1]]]))])
  const c2 = commit(
    first.session,
    2,
    [],
    [section('lunch', filled(3, 8)), section('dinner', filled(3, 9))],
  )
  const c3 = commit(first.session, 3, [], [section('tea', filled(3, 10))])
  const batch = await signBatch(makeBatch(first.first, [c1, c2, c3], seed), creator)

  const second = makeOpening({
    space: record.id,
    device: device(guest),
    parents: [],
    admission: admission.id,
    nonce: filled(16, 11),
  })
  const answer = commit(second.session, 1, [batch], [section('lunch', filled(3, 12))])
  const answerBatch = await signBatch(makeBatch(second.first, [answer], seed), guest)
  const again = await signBatch(makeBatch(first.first, [c1, c2], seed), creator)
  const proof: ForkProof = {
    session: first.session,
    seq: 1,
    previous: first.first,
    branches: [branchOf([batch], batch.signature!), branchOf([again], again.signature!)],
  }
  const later = await laterSessions({ first, second, batch, answerBatch })
  const extended = encodeOpening({
    ...first.opening,
    extensions: [
      [1, 'odd'],
      [2, [null]],
    ],
  })
  const start = 1_790_000_000_000
  const started = encodeOpening({ ...first.opening, start, extensions: [[1, 'odd']] })
  const extendedCommit = makeCommit(
    first.session,
    {
      seq: 1,
      deps: [],
      digest: new Uint8Array(0),
      time: { ms: 1_790_000_000_001, counter: 0 },
      extensions: [[7, filled(2, 14)]],
    },
    [
      { ...section('lunch', filled(3, 8)), extensions: [[2, true]] },
      section('lunch', filled(3, 9)),
    ],
    seed,
  )
  const extendedBatch = await signBatch(makeBatch(first.first, [extendedCommit], seed), creator)
  const tips = Array.from({ length: 40 }, (_, index): Tip => {
    const id = toHex(hash('test', Uint8Array.of(index)))
    return { session: id.slice(0, 32) as SessionId, seq: 1 + index * 300, mark: id.slice(32) }
  })
  const sparse = toSparse(batch, 2, ({ entity }) => entity === 'tally/dinner')!

  expect(await verifyBatch(batch, device(creator), crypto)).toBe(true)
  expect(await verifyBatch(answerBatch, device(creator), crypto)).toBe(false)
  expect(await verifySparse(sparse, device(creator), crypto)).toBe(true)
  expect(await verifyForkProof(proof, device(creator), crypto)).toBe(true)
  expect(decodeForkProof(encodeForkProof(proof), first.session)).toEqual(proof)
  const extendedProof: ForkProof = { ...proof, extensions: [[1, 'odd']] }
  expect(decodeForkProof(encodeForkProof(extendedProof), first.session)).toEqual(extendedProof)
  expect(await verifyForkProof(extendedProof, device(creator), crypto)).toBe(true)
  const criticalProof = encodeForkProof({ ...proof, extensions: [[2, 'even']] })
  expect(() => decodeForkProof(criticalProof, first.session)).toThrow(
    expect.objectContaining({ code: 'needs-update' }),
  )
  const extendedChain = [extendedAdmission]
  expect(await verifyAdmissions(record, device(guest), extendedChain, crypto)).toBe(true)
  expect(await verifyAdmissions(record, device(guest), [admission], crypto)).toBe(true)
  const link = encodeInvitation(invitation)
  await readInvitation(link, { crypto })
  const grantAgain = await signGrant(
    {
      space: record.id,
      inviteKey: invitation.grant.inviteKey,
      role: 'member',
      notAfter: 1_800_000_000_000,
    },
    creator,
  )
  expect(grantAgain).toEqual(invitation.grant)

  // Batches in which one thing does not have its only form.
  const [ms, lunch] = [1_790_000_000_001, ['tally/lunch', 1]]
  const formOf = (time: Value, entity: Value): Uint8Array =>
    encodeCanonical([
      seed,
      new Uint8Array(0),
      [ms, 0],
      [],
      [[[lunch, new Uint8Array(0)]], [time, [entity, new Uint8Array(0)]]],
    ])
  const refused = {
    timeThatIsTheNext: formOf([ms, 1], 0),
    timeThatIsLater: formOf([ms + 5, 0], 0),
    timeBeyondTheLast: formOf(2 ** 53 - 1, 0),
    entityNamedTwice: formOf(0, lunch),
    entityThatIsNotNamed: formOf(0, 1),
  }
  const decoded = (encoded: Uint8Array): Batch =>
    decodeBatch(encoded, first.session, first.first, 1)
  expect(decoded(formOf(0, 0)).commits).toHaveLength(2)
  for (const encoded of Object.values(refused)) {
    expect(() => decoded(encoded)).toThrow(expect.objectContaining({ code: 'malformed' }))
  }
  return {
    canonical: [[null, true, -1, 2 ** 40, 0.5, 'é', { b: 1, a: [] }], ...numbers, ...texts].map(
      (value) => ({ value, hex: toHex(encodeCanonical(value)) }),
    ),
    notCanonical: {
      numberThatIsNotTheShortest: '1817',
      floatThatIsWhole: 'f93c00',
      floatThatIsNotTheShortest: 'fa3f000000',
      notANumber: 'f97e00',
      undefined: 'f7',
      tag: 'c000',
      lengthThatIsNotDefinite: '9f00ff',
      keysOutOfOrder: 'a2616201616101',
      keyTwice: 'a2616101616102',
      bytesAfterTheValue: '0000',
      keysInOrderOfBytes: 'a2626161016162',
      textThatIsNotUtf8: '61ff',
      textWithAnOverlongForm: '62c080',
      textWithASurrogate: '63eda080',
      minusZero: 'f98000',
      infinity: 'f97c00',
      integerThatIsTooLarge: '1b0020000000000000',
      integerThatIsTooSmall: '3b001fffffffffffff',
      floatOfALargeInteger: 'fa47c35000',
      doubleThatASingleHolds: 'fb4340000000000000',
    },
    clock: clockSteps(),
    signatures: { accepted: acceptedSignatures, refused: refusedSignatures },
    hash: { tag: 'test', message: '00ff', hex: toHex(hash('test', fromHex('00ff'))) },
    mac: {
      key: toHex(space.secret),
      tag: 'topic',
      message: '',
      hex: toHex(mac(space.secret, 'topic')),
    },
    space: { creatorSeed: toHex(filled(32, 1)), record: bytes(spaceBytes), id: record.id },
    invitation: { inviteSeed: toHex(inviteSeed), text: link, characters: link.length },
    admission: {
      deviceSeed: toHex(filled(32, 5)),
      record: bytes(admission.bytes),
      id: toHex(admission.id),
      withExtensions: {
        record: bytes(extendedAdmission.bytes),
        id: toHex(extendedAdmission.id),
      },
    },
    opening: {
      record: bytes(first.bytes),
      first: first.first,
      session: first.session,
      withOneParent: later.withOneParent,
      withExtensions: { record: bytes(extended), session: sessionOf(extended) },
      withStart: {
        record: bytes(started),
        session: sessionOf(started),
        start,
      },
    },
    commit: {
      header: bytes(c1.headerBytes),
      salt: toHex(saltOf(seed, 1, 0)),
      leaf: toHex(sectionLeaf(saltOf(seed, 1, 0), c1.sections[0]!)),
      id: commitIdOf(first.session, c1.headerBytes),
      withOneDependency: {
        header: bytes(answer.headerBytes),
        digest: toHex(answer.header.digest),
        id: answer.id,
      },
      withTwoDependencies: later.withTwoDependencies,
    },
    batch: {
      seed: toHex(seed),
      ofThree: bytes(encodeBatch(batch)),
      id: batch.id,
      signature: toHex(batch.signature!),
      root: toHex(merkleRoot(batch.commits.map(({ id }) => fromHex(id)))),
      ofOne: bytes(encodeBatch(answerBatch)),
      guest: { session: second.session, first: second.first },
      withExtensions: { bytes: bytes(encodeBatch(extendedBatch)), id: extendedBatch.id },
      afterItsParent: later.afterItsParent,
      ofTwoSessions: later.ofTwoSessions,
      refused: Object.fromEntries(
        Object.entries(refused).map(([why, encoded]) => [why, toHex(encoded)]),
      ),
    },
    fork: {
      proof: bytes(encodeForkProof(proof)),
      withExtensions: bytes(encodeForkProof(extendedProof)),
      tip: bytes(encodeCanonical(tipToValue(forkedTip(proof)))),
      afterThree: await laterFork(batch),
    },
    tips: [tips.slice(0, 3), tips].map((some) => ({
      tips: some.map((tip) => toHex(encodeCanonical(tipToValue(tip)))),
      digest: digestOf(some),
    })),
    sparse: {
      seq: 2,
      shows: 'tally/dinner',
      path: merklePath(
        batch.commits.map(({ id }) => fromHex(id)),
        1,
      ).map(toHex),
      leafOfHidden: toHex(sectionLeaf(saltOf(seed, 2, 0), c2.sections[0]!)),
      saltOfShown: toHex(saltOf(seed, 2, 1)),
    },
  }
}

interface Earlier {
  readonly first: OpeningRecord
  readonly second: OpeningRecord
  readonly batch: Batch
  readonly answerBatch: Batch
}

/** Both devices begin another session. The guest has seen what the creator wrote, so its commit depends on two sessions. */
async function laterSessions({
  first,
  second,
  batch,
  answerBatch,
}: Earlier): Promise<Record<string, unknown>> {
  const parentOf = (parent: Batch): Tip => ({
    session: parent.session,
    seq: lastSeq(parent),
    mark: markOf(parent.id),
  })
  const third = makeOpening({
    ...first.opening,
    parents: [parentOf(batch)],
    nonce: filled(16, 13),
  })
  const afterParent = commit(third.session, 1, [batch], [section('lunch', filled(3, 15))])
  const afterBatch = await signBatch(makeBatch(third.first, [afterParent], seed), creator)
  const fourth = makeOpening({
    ...second.opening,
    parents: [parentOf(answerBatch)],
    nonce: filled(16, 16),
  })
  const deps = [answerBatch, afterBatch].sort((a, b) => (a.session < b.session ? -1 : 1))
  const both = commit(fourth.session, 1, deps, [section('tea', filled(3, 17))])
  const bothBatch = await signBatch(makeBatch(fourth.first, [both], seed), guest)
  const next = commit(fourth.session, 2, [], [section('tea', filled(3, 18))])
  const nextBatch = await signBatch(makeBatch(bothBatch.id, [next], seed), guest)
  return {
    withOneParent: { record: bytes(third.bytes), session: third.session },
    withTwoDependencies: {
      header: bytes(both.headerBytes),
      digest: toHex(both.header.digest),
      id: both.id,
    },
    afterItsParent: { bytes: bytes(encodeBatch(afterBatch)), id: afterBatch.id },
    ofTwoSessions: {
      opening: { record: bytes(fourth.bytes), session: fourth.session },
      bytes: bytes(encodeBatch(bothBatch)),
      id: bothBatch.id,
      next: { bytes: bytes(encodeBatch(nextBatch)), id: nextBatch.id },
    },
  }
}

/** A fork after three commits: in one version one batch, in the other two, of which the last is signed. */
async function laterFork(batch: Batch): Promise<Record<string, unknown>> {
  const { session } = batch
  const versionOf = (seq: number, fill: number): Commit =>
    commit(session, seq, [], [section('tea', filled(3, fill))])
  const one = await signBatch(makeBatch(batch.id, [versionOf(4, 19)], seed), creator)
  const other = makeBatch(batch.id, [versionOf(4, 20)], seed)
  const end = await signBatch(makeBatch(other.id, [versionOf(5, 21)], seed), creator)
  const proof: ForkProof = {
    session,
    seq: 4,
    previous: batch.id,
    branches: [branchOf([one], one.signature!), branchOf([other, end], end.signature!)],
  }
  expect(await verifyForkProof(proof, device(creator), crypto)).toBe(true)
  return {
    proof: bytes(encodeForkProof(proof)),
    tip: bytes(encodeCanonical(tipToValue(forkedTip(proof)))),
  }
}

/** The bounds of each encoding of a number. */
const numbers: Value[] = [
  0,
  23,
  24,
  255,
  256,
  65_535,
  65_536,
  2 ** 32 - 1,
  2 ** 32,
  2 ** 53 - 1,
  -24,
  -25,
  -256,
  -257,
  1 - 2 ** 53,
  2 ** 53,
  -(2 ** 53),
  1.5,
  -0.25,
  2 ** -24,
  2 ** -25,
  100_000.5,
  0.1,
  1e300,
  5e-324,
]

const texts: Value[] = [
  '',
  '\ufeffmark',
  'e\u0301',
  '\u{1f600}',
  { '\uffff': 1, '\u{10000}': 2, '': 3, z: 4, aa: 5 },
]

/** Readings of a hybrid clock: `wall` is the wall clock in milliseconds. */
function clockSteps(): unknown[] {
  const day = 86_400_000
  let wall = 1_000
  const clock = new HybridClock({ now: () => wall })
  const pair = ({ ms, counter }: Timestamp): number[] => [ms, counter]
  const gives = (at: number): unknown => {
    wall = at
    return { wall, gives: pair(clock.next()) }
  }
  const observe = (ms: number, counter: number): void => clock.observe({ ms, counter })
  const observes = (ms: number, counter: number): unknown => {
    observe(ms, counter)
    return { wall, observes: [ms, counter] }
  }
  const ignores = (ms: number, counter: number): unknown => {
    observe(ms, counter)
    return { wall, ignores: [ms, counter] }
  }
  return [
    gives(1_000),
    gives(1_000),
    gives(900),
    gives(2_000),
    ignores(1_999, 7),
    observes(2_000, 5),
    gives(2_000),
    observes(2_500, 65_535),
    gives(2_001),
    gives(2_001),
    ignores(2_001 + day + 1, 0),
    gives(2_600),
    observes(2_600 + day, 3),
    gives(2_601),
    gives(2_600 + day + 1),
  ]
}

test('the canonical vectors are what they were', async () => {
  // Those of the handshake and of the messages are computed beside them.
  const { handshake, messages, announcement } = JSON.parse(readFileSync(file, 'utf8')) as Record<
    string,
    unknown
  >
  const vectors = { ...(await compute()), handshake, messages, announcement }
  const computed = JSON.stringify(vectors, null, 2) + '\n'
  if (process.env['UPDATE_VECTORS']) writeFileSync(file, computed)
  expect(computed).toBe(readFileSync(file, 'utf8'))
})

const sessionOf = (opening: Uint8Array): SessionId => sessionIdOf(firstPrevious(opening))

function digestOf(tips: readonly Tip[]): string {
  const trie = new TipTrie()
  for (const tip of tips) trie.set(tip)
  return trie.summary().digest
}
