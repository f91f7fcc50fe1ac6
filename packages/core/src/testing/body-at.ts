import { toHex } from '../bytes.ts'
import { hash } from '../hash.ts'
import { PREFIX_BYTES } from '../log/commit.ts'
import type { Body, Lineage, Origin } from '../ports/state-model.ts'
import { utf8 } from '../text.ts'

/** A body of a commit that was never made. Another one at the same place has another prefix. */
export function bodyAt(origin: Origin, bytes: Uint8Array): Body {
  const { session, seq } = origin
  const prefix = toHex(
    hash('test-commit', utf8(`${session} ${seq} `), bytes).slice(0, PREFIX_BYTES),
  )
  return { origin, prefix, bytes }
}

/** The lineage of a session without parents. */
export const rootLineage: Lineage = { hasParents: false, covers: () => false }
