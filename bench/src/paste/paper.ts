import { document, entity } from '@peerplane/node'

/** A text into which people paste and from which they cut. */
export const Paper = entity('paper', {
  state: document({ text: 'begin end' }),
  commands: {
    /** Inserts at an index or a position. Returns the beginning and the end of what was inserted. */
    insert(paper, { at, text }: { at: number | string; text: string }) {
      const index = typeof at === 'string' ? paper.indexOf(['text'], at) : at
      paper.splice(['text'], index, 0, text)
      return {
        from: paper.positionAt(['text'], index, 'previous'),
        to: paper.positionAt(['text'], index + text.length),
      }
    },
    /** Deletes at most so many characters between two positions. Returns how many are left. */
    cut(paper, { from, to, most }: { from: string; to: string; most: number }) {
      const [start, end] = [paper.indexOf(['text'], from), paper.indexOf(['text'], to)]
      const count = Math.min(most, end - start)
      paper.splice(['text'], start, count, '')
      return end - start - count
    },
    /** Types at the end. */
    press(paper, key: string) {
      paper.splice(['text'], paper.text.length, 0, key)
    },
  },
})

/** How long the event loop has been blocked at most, in milliseconds, since the last call. */
export function watchPauses(): () => number {
  const every = 10
  let last = performance.now()
  let longest = 0
  const look = (): void => {
    const now = performance.now()
    longest = Math.max(longest, now - last - every)
    last = now
  }
  setInterval(look, every).unref()
  return () => {
    look()
    const result = longest
    longest = 0
    return Math.round(result)
  }
}
