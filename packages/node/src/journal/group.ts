import { limits, PeerplaneError, type JournalGroup } from '@peerplane/core'

/** Throws `too-large` for a group that one append cannot write. */
export function checkGroup(group: JournalGroup): void {
  let bytes = 0
  for (const rows of [group.events, group.outcomes, group.snapshots]) {
    checkCount(rows.length)
    for (const { record } of rows) bytes += record.length
  }
  checkCount(group.watermarks.length)
  if (bytes <= limits.journalGroupBytes) return
  throw new PeerplaneError('too-large', `the records of one append have ${bytes} bytes`)
}

function checkCount(count: number): void {
  if (count <= limits.journalGroupRows) return
  throw new PeerplaneError('too-large', `one append has ${count} rows of one kind`)
}
