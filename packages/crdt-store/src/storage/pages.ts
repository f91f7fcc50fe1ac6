import { concatBytes } from '@peerplane/core'
import type { Entry, Range, Store } from '@peerplane/core'

const PAGE = 512

/** The pairs of `range` in ascending order, page after page: a table is never in memory as a whole. */
export async function* pages(store: Store, range: Range): AsyncGenerator<readonly Entry[]> {
  let { from } = range
  for (;;) {
    const page = await store.scan({ from, to: range.to, limit: PAGE })
    if (page.length > 0) yield page
    if (page.length < PAGE) return
    from = concatBytes(page.at(-1)!.key, Uint8Array.of(0))
  }
}
