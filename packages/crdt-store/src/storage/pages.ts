import { compareBytes, concatBytes, PeerplaneError } from '@peerplane/core'
import type { Entry, KeyRange, Store } from '@peerplane/core'

const PAGE = 512

/**
 * The pairs of `range` in ascending order, page after page: a table is never in memory as a whole. `size` is asked before each page.
 *
 * Every table is read with it: it goes on from the bytes of the last key, whatever they mean, and throws `store-corrupt` should a store not
 * come to later keys, so that no reading of a store is without end.
 */
export async function* pages(
  store: Store,
  range: KeyRange,
  size: () => number = () => PAGE,
): AsyncGenerator<readonly Entry[]> {
  let { from } = range
  for (;;) {
    const limit = size()
    const page = await store.scan({ from, to: range.to, limit })
    const last = page.at(-1)
    if (!last) return
    if (last.key instanceof Uint8Array && compareBytes(last.key, from) < 0) {
      throw new PeerplaneError('store-corrupt', 'the store returns keys that it was not asked for')
    }
    yield page
    if (page.length < limit) return
    from = concatBytes(last.key, Uint8Array.of(0))
  }
}
