import type { EntityKey } from '@peerplane/core'

import type { AbsentRows } from './absent-rows.ts'
import type { KnownRows } from './known-rows.ts'
import { absentKey, rowKey } from './keys.ts'
import type { CapturedEntity } from './lifecycle.ts'

export const nothingCaptured: CapturedEntity = {
  writes: [],
  more: 0,
  absent: 0,
  stored: () => undefined,
}

/** Stores `value` as the row of an entity; if the entity does not exist, in a place that lists do not read. What stands in the other place goes. */
export function captureRow(
  key: EntityKey,
  exists: boolean,
  value: Uint8Array,
  { rows, absent }: { readonly rows: KnownRows; readonly absent: AbsentRows },
): CapturedEntity {
  const [hasRow, isAbsent] = [rows.has(key), absent.has(key)]
  const [here, there] = exists ? [rowKey, absentKey] : [absentKey, rowKey]
  const isElsewhere = exists ? isAbsent : hasRow
  return {
    writes: [
      { key: here(key), value },
      ...(isElsewhere ? [{ key: there(key), value: undefined }] : []),
    ],
    more: Number(exists) - Number(hasRow),
    absent: Number(!exists) - Number(isAbsent),
    stored: () => {
      if (exists) {
        rows.add(key)
        absent.delete(key)
      } else {
        rows.delete(key)
        absent.add(key)
      }
    },
  }
}
