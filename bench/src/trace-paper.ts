import { document, entity } from '@peerplane/node'

/** The typed text, and how many keystrokes it holds. */
export const Paper = entity('paper', {
  state: document({ text: '', keystrokes: 0 }),
  commands: {
    write(
      paper,
      input: { splices: readonly (readonly [number, number, string])[]; keystrokes: number },
    ) {
      for (const [index, deleteCount, insert] of input.splices) {
        paper.splice(['text'], index, deleteCount, insert)
      }
      paper.keystrokes = input.keystrokes
    },
  },
})
