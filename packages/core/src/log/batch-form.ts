import { fromHex, toHex } from '../bytes.ts'
import { PeerplaneError } from '../errors.ts'
import { arrayField, bytesField, listField, wholeField } from '../fields.ts'
import { SESSION_BYTES } from '../hash.ts'
import { MAX_COUNTER, type Timestamp } from '../hybrid-clock.ts'
import type { SessionId } from '../ids.ts'
import { limits } from '../limits.ts'
import type { Value } from '../value.ts'
import {
  checkOrder,
  COMMIT_WEIGHT,
  readEntity,
  sectionWeight,
  type Dot,
  type Section,
} from './commit.ts'
import { extensionsAfter, readExtensions, withExtensions, type Extensions } from './extensions.ts'

/*
 * What a batch holds beside seed and signature, with nothing that a receiver computes: seqs follow from the place, roots from the sections.
 * Every value has one form; a reader refuses all others.
 *
 *     deps     [] or [digest, session, seq, session, seq …]
 *     commit   [section …], from the second one on [time, section …]; last [extensions] of its header, if it has any
 *     time     0: the next counter of the same millisecond; n > 0: n ms later, counter 0; else [ms, counter]
 *     section  [entity, body], and its extensions if it has any
 *     entity   [key, model version] where the batch names it first, then its number among those, from 0
 */

/** The deps of the first commit. */
export interface Deps {
  readonly deps: readonly Dot[]
  readonly digest: Uint8Array
}

/** Deps for the canonical encoding. */
export const depsToValue = ({ deps, digest }: Deps): Value =>
  deps.length === 0 ? [] : [digest, ...deps.flatMap(({ session, seq }) => [fromHex(session), seq])]

/** Deps of a decoded value, in the order of their sessions. Throws `malformed` or `too-large`. */
export function readDeps(value: Value | undefined): Deps {
  const fields = arrayField(value, 'batch.deps')
  if (fields.length === 0) return { deps: [], digest: new Uint8Array(0) }
  const count = (fields.length - 1) / 2
  if (count > limits.deps) throw new PeerplaneError('too-large', `a batch has ${count} deps`)
  if (!Number.isInteger(count) || count === 0) throw malformed('batch.deps are not pairs')
  const deps = Array.from({ length: count }, (_, index): Dot => ({
    session: toHex(bytesField(fields[2 * index + 1], 'dep.session', SESSION_BYTES)) as SessionId,
    seq: wholeField(fields[2 * index + 2], 'dep.seq', 1),
  }))
  checkOrder(deps)
  return { deps, digest: bytesField(fields[0], 'batch.digest', 16) }
}

/** A time for the canonical encoding, by the time of the commit before it. */
export function timeToValue(time: Timestamp, before: Timestamp): Value {
  if (time.ms === before.ms && time.counter === before.counter + 1) return 0
  if (time.ms > before.ms && time.counter === 0) return time.ms - before.ms
  return [time.ms, time.counter]
}

/** The time of a decoded value. Throws `malformed`, also for a pair where a number would do. */
export function readTime(value: Value | undefined, before: Timestamp): Timestamp {
  if (!Array.isArray(value)) {
    const later = wholeField(value, 'commit.time')
    const time =
      later > 0
        ? { ms: before.ms + later, counter: 0 }
        : { ms: before.ms, counter: before.counter + 1 }
    if (!Number.isSafeInteger(time.ms) || time.counter > MAX_COUNTER) {
      throw malformed('commit.time is beyond the last one')
    }
    return time
  }
  const time = readTimestamp(value)
  if (!Array.isArray(timeToValue(time, before))) throw malformed('commit.time has a shorter form')
  return time
}

/** `[ms, counter]`. Throws `malformed`. */
export function readTimestamp(value: Value | undefined): Timestamp {
  const fields = arrayField(value, 'time', 2)
  const counter = wholeField(fields[1], 'time.counter')
  if (counter > MAX_COUNTER) throw malformed('time.counter is too large')
  return { ms: wholeField(fields[0], 'time.ms'), counter }
}

/** Extensions of a header, as the last item of its commit. */
export const headerExtensionsToValue = (extensions: Extensions | undefined): readonly Value[] =>
  extensions && extensions.length > 0 ? [[extensions.flat()]] : []

/** The items of a commit without the extensions of its header, and those. Throws `malformed` or `too-large`. */
export function splitHeaderExtensions(items: readonly Value[]): {
  readonly sections: readonly Value[]
  readonly extensions?: Extensions
} {
  const last = items.at(-1)
  if (!Array.isArray(last) || last.length !== 1) return { sections: items }
  return { sections: items.slice(0, -1), extensions: readExtensions(last[0], 'header') }
}

/** Writes the sections of one batch. */
export class SectionWriter {
  readonly #numbers = new Map<string, number>()

  write({ entity, modelVersion, body, extensions }: Section): Value {
    const name = `${modelVersion}/${entity}`
    const number = this.#numbers.get(name)
    if (number !== undefined) return withExtensions([number, body], extensions)
    this.#numbers.set(name, this.#numbers.size)
    return withExtensions([[entity, modelVersion], body], extensions)
  }
}

/**
 * Reads the sections of one batch. What a few bytes stand for is counted as a receiver hashes it, so that a forger cannot make it hash more
 * than `batchBytes` of one batch.
 */
export class SectionReader {
  readonly #named: Pick<Section, 'entity' | 'modelVersion'>[] = []
  readonly #names = new Set<string>()
  #weight = 0

  /** The sections of a commit. Throws `malformed` or `too-large`. */
  read(values: readonly Value[]): Section[] {
    this.#add(COMMIT_WEIGHT)
    return listField(values, 'commit.sections', limits.sections, (value) => this.#section(value))
  }

  #section(value: Value): Section {
    const fields = arrayField(value, 'section')
    const extensions = extensionsAfter(fields, 2, 'section')
    const body = bytesField(fields[1], 'section.body')
    const section = { ...this.#entity(fields[0]!), body, ...extensions }
    this.#add(sectionWeight(section))
    return section
  }

  #entity(value: Value): Pick<Section, 'entity' | 'modelVersion'> {
    if (!Array.isArray(value)) {
      const named = this.#named[wholeField(value, 'section.entity')]
      if (!named) throw malformed('section.entity is a number without an entity')
      return named
    }
    const [key, version] = arrayField(value, 'section.entity', 2)
    const named = {
      entity: readEntity(key, 'section.entity'),
      modelVersion: wholeField(version, 'section.modelVersion'),
    }
    const name = `${named.modelVersion}/${named.entity}`
    if (this.#names.has(name)) throw malformed('section.entity is named twice')
    this.#names.add(name)
    this.#named.push(named)
    return named
  }

  #add(weight: number): void {
    this.#weight += weight
    if (this.#weight > limits.batchBytes) {
      throw new PeerplaneError('too-large', 'a batch expands to more bytes than its limit')
    }
  }
}

const malformed = (detail: string): PeerplaneError => new PeerplaneError('malformed', detail)
