import { isUnderstood, mayName, prefixOf } from '@peerplane/core'
import type { Commit, EntityKey, Origin } from '@peerplane/core'

import type { EntitiesOptions } from './entities.ts'
import type { VersionedBody } from './row.ts'
import { reportVoid, type FoldEvents } from './slot.ts'

/**
 * The bodies of commits by entity, in order. A second section of a commit on one entity, one for no version of a model, and one of an entity
 * that may not have its name are void: reported as such. One that this version of the program does not understand is for a model beyond all.
 */
export function bodiesOf(
  commits: readonly Commit[],
  isWanted: (key: EntityKey) => boolean,
  options: Pick<EntitiesOptions, 'deviceOf' | 'lineageOf' | 'isUnderstood'> & FoldEvents,
): ReadonlyMap<EntityKey, readonly VersionedBody[]> {
  const bodies = new Map<EntityKey, VersionedBody[]>()
  for (const { id, session, header, sections } of commits) {
    const { seq, time } = header
    const lineage = options.lineageOf(session)
    const origin: Origin = { device: options.deviceOf(session), session, seq, time, lineage }
    const prefix = prefixOf(id)
    const isClear = options.isUnderstood(session) && isUnderstood(header.extensions)
    for (const { entity, modelVersion: version, body, extensions } of sections) {
      if (!isWanted(entity)) continue
      const modelVersion = isClear && isUnderstood(extensions) ? version : BEYOND
      const list = bodies.get(entity)
      if (!mayName(entity) || version < 1 || list?.at(-1)?.origin === origin) {
        reportVoid(entity, origin, options)
      } else if (list) list.push({ origin, prefix, modelVersion, bytes: body })
      else bodies.set(entity, [{ origin, prefix, modelVersion, bytes: body }])
    }
  }
  return bodies
}

/** The version of a model that nobody has. */
const BEYOND = Number.MAX_SAFE_INTEGER

/** Commits in order, in groups of about `maxSections` sections. */
export function* chunks(
  commits: readonly Commit[],
  maxSections: number,
): IterableIterator<readonly Commit[]> {
  let from = 0
  let sections = 0
  for (const [i, commit] of commits.entries()) {
    sections += commit.sections.length
    if (sections < maxSections) continue
    yield commits.slice(from, i + 1)
    from = i + 1
    sections = 0
  }
  if (from < commits.length) yield commits.slice(from)
}
