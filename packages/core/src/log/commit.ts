import { fromHex, toHex } from '../bytes.ts'
import { decodeCanonical, encodeCanonical, withCanonical } from '../codec.ts'
import type { Value } from '../value.ts'
import { PeerplaneError } from '../errors.ts'
import { arrayField, bytesField, listField, textField, wholeField } from '../fields.ts'
import { HASH_BYTES, SESSION_BYTES, hash } from '../hash.ts'
import { MAX_COUNTER, type Timestamp } from '../hybrid-clock.ts'
import type { BatchId, CommitId, EntityKey, SessionId } from '../ids.ts'
import { limits } from '../limits.ts'
import { extensionsAfter, withExtensions, type Extensions } from './extensions.ts'
import { merkleRoot } from './merkle.ts'
import { utf8 } from '../text.ts'

/** The place of a commit: its session, and its sequence number (seq) in the session. */
export interface Dot {
  readonly session: SessionId
  readonly seq: number
}

/** The part of a commit that changes one entity. */
export interface Section {
  readonly entity: EntityKey
  readonly modelVersion: number
  readonly body: Uint8Array
  readonly extensions?: Extensions
}

/** The signed part of a commit. The header of a commit contains a hash over its sections, but not the sections themselves. */
export interface Header {
  /** The number of the commit in its session: 1, 2, 3, … */
  readonly seq: number
  /**
   * The dependencies of the commit: the latest commits of other sessions that were delivered to its author. Dependencies that an earlier commit of
   * the same session has already named are left out. Each dependency is the last commit of its batch.
   */
  readonly deps: readonly Dot[]
  /** Each of `deps` is the last commit of a batch; the digest is the first 16 bytes of the hash over the ids of these batches. The digest is empty if the commit has no `deps`. */
  readonly digest: Uint8Array
  readonly time: Timestamp
  /** The hash over the number of sections and the Merkle root of their leaves; see {@link rootOfLeaves}. */
  readonly root: Uint8Array
  readonly extensions?: Extensions
}

/**
 * A commit: the changes of one command, or of several commands that take effect together. A commit is identified by the hash of its session id and
 * its header.
 */
export interface Commit {
  readonly id: CommitId
  readonly session: SessionId
  readonly header: Header
  /** The canonical encoding of the header, which is hashed. */
  readonly headerBytes: Uint8Array
  readonly sections: readonly Section[]
}

/** The largest seq of a commit. In frontiers, forked sessions have higher seqs. */
export const MAX_SEQ: number = 2 ** 52 - 1

const SALT_BYTES = 16

/** The longest entity key: type, slash, id. */
const KEY_BYTES = 2 * limits.entityNameBytes + 1

/** Makes a commit. `seed` is the seed from which the salts of the batch are derived. */
export function makeCommit(
  session: SessionId,
  fields: Omit<Header, 'root'>,
  sections: readonly Section[],
  seed: Uint8Array,
): Commit {
  const header: Header = { ...fields, root: sectionsRoot(seed, fields.seq, sections) }
  const headerBytes = encodeHeader(header)
  return { id: commitIdOf(session, headerBytes), session, header, headerBytes, sections }
}

/** Encodes the header of a commit as canonical bytes. */
export function encodeHeader(header: Header): Uint8Array {
  const fields = [
    header.seq,
    header.deps.map(({ session, seq }) => [fromHex(session), seq]),
    header.digest,
    [header.time.ms, header.time.counter],
    header.root,
  ]
  return encodeCanonical(withExtensions(fields, header.extensions))
}

/** Decodes the header of a commit from canonical bytes. Throws `malformed` or `too-large`. */
export function decodeHeader(encoded: Uint8Array): Header {
  const fields = arrayField(decodeCanonical(encoded), 'header')
  const extensions = extensionsAfter(fields, 5, 'header')
  const deps = listField(fields[1], 'header.deps', limits.deps, readDot)
  const time = arrayField(fields[3], 'header.time', 2)
  const seq = wholeField(fields[0], 'header.seq', 1)
  if (seq > MAX_SEQ) throw new PeerplaneError('malformed', 'header.seq is too large')
  const counter = wholeField(time[1], 'header.time.counter')
  if (counter > MAX_COUNTER)
    throw new PeerplaneError('malformed', 'header.time.counter is too large')
  checkOrder(deps)
  return {
    seq,
    deps,
    digest: bytesField(fields[2], 'header.digest', deps.length === 0 ? 0 : 16),
    time: { ms: wholeField(time[0], 'header.time.ms'), counter },
    root: bytesField(fields[4], 'header.root', HASH_BYTES),
    ...extensions,
  }
}

/** Checks that deps are in the order of their sessions, and that no session occurs twice. Throws `malformed`. */
export function checkOrder(deps: readonly Dot[]): void {
  for (let i = 1; i < deps.length; i++) {
    if (deps[i - 1]!.session >= deps[i]!.session) {
      throw new PeerplaneError('malformed', 'deps are not in the order of their sessions')
    }
  }
}

/** Returns the id of the commit of `session` with this header. */
export const commitIdOf = (session: SessionId, headerBytes: Uint8Array): CommitId =>
  toHex(commitHash(fromHex(session), headerBytes)) as CommitId

/** Returns the id of a commit as bytes. */
export const commitHash = (session: Uint8Array, headerBytes: Uint8Array): Uint8Array =>
  hash('commit', session, headerBytes)

/** The length of the prefix of a commit id, in bytes. */
export const PREFIX_BYTES = 8

/**
 * Returns the prefix of a commit id: its first 8 bytes, as 16 hex digits. Nobody knows the prefix of a commit before the commit exists, so nobody can
 * refer to the commit earlier.
 */
export const prefixOf = (id: CommitId): string => id.slice(0, PREFIX_BYTES * 2)

/**
 * Returns the digest over `ids`. Each dependency of a commit is the last commit of a batch; `ids` lists the ids of these batches, in the order of the
 * `deps`. With the digest, a receiver notices if it holds a different version of a dependency, or of a batch before the dependency.
 */
export const depsDigest = (ids: readonly BatchId[]): Uint8Array =>
  ids.length === 0 ? new Uint8Array(0) : hash('deps', ...ids.map(fromHex)).slice(0, 16)

/**
 * Returns the salt of section `index` of commit `seq`. Because of the salt, the Merkle leaf of a hidden section reveals nothing about its content.
 */
export const saltOf = (seed: Uint8Array, seq: number, index: number): Uint8Array =>
  withCanonical([seq, index], (place) => hash('salt', seed, place)).slice(0, SALT_BYTES)

/** Returns the Merkle leaf of one section. */
export function sectionLeaf(salt: Uint8Array, section: Section): Uint8Array {
  const { entity, modelVersion, body, extensions } = section
  const fields = [salt, entity, modelVersion, hash('body', body)]
  return withCanonical(withExtensions(fields, extensions), (content) => hash('section', content))
}

/** Returns the root hash over the sections of commit `seq`. */
export const sectionsRoot = (
  seed: Uint8Array,
  seq: number,
  sections: readonly Section[],
): Uint8Array =>
  rootOfLeaves(sections.map((section, index) => sectionLeaf(saltOf(seed, seq, index), section)))

/**
 * Returns the hash over the number of sections and the Merkle root of their leaves. Without this number, a node of the tree could be mistaken for a
 * leaf, and a sparse proof could show two sections as one. If there are no sections, the result is 32 zero bytes.
 */
export function rootOfLeaves(leaves: readonly Uint8Array[]): Uint8Array {
  if (leaves.length === 0) return new Uint8Array(HASH_BYTES)
  return withCanonical([leaves.length, merkleRoot(leaves)], (content) => hash('sections', content))
}

/** Reads the key of an entity from a decoded value. Throws `malformed` or `too-large`. */
export function readEntity(value: Value | undefined, name: string): EntityKey {
  const entity = textField(value, name, KEY_BYTES)
  const slash = entity.indexOf('/')
  if (
    slash < 1 ||
    slash === entity.length - 1 ||
    // A UTF-16 unit has at most three bytes in UTF-8: most names need not be encoded.
    (entity.length * 3 > KEY_BYTES && utf8(entity).length > KEY_BYTES)
  ) {
    throw new PeerplaneError('malformed', `${name} is not type/id`)
  }
  return entity as EntityKey
}

function readDot(value: Value, name: string): Dot {
  const fields = arrayField(value, name, 2)
  return {
    session: toHex(bytesField(fields[0], `${name}.session`, SESSION_BYTES)) as SessionId,
    seq: wholeField(fields[1], `${name}.seq`, 1),
  }
}

/** Returns the approximate size of a commit in bytes, for comparison with limits. */
export const commitSize = (commit: Commit): number =>
  commit.sections.reduce(
    (size, section) => size + section.body.length + 64,
    commit.headerBytes.length,
  )

/** About how many bytes a receiver hashes for a commit without sections. */
export const COMMIT_WEIGHT = 64

/** Returns about how many bytes a receiver hashes for a section. */
export const sectionWeight = ({ entity, body }: Section): number => 64 + entity.length + body.length
