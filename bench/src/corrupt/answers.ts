import { PeerplaneError, type Plane } from '@peerplane/node'

import { Card, Note } from './entities.ts'

/** What a plane says, by question; the code of an error where it refuses. */
export type Answers = Readonly<Record<string, string>>

export const isRefusal = (answer: string): boolean => answer.startsWith('refused: ')

/** What can be asked about. */
export interface Known {
  readonly cards: readonly string[]
  readonly notes: readonly string[]
  readonly operations: readonly string[]
}

/** Asks a plane for everything. Throws what is no error of the catalogue. */
export async function answersOf(
  plane: Plane,
  { cards, notes, operations }: Known,
): Promise<Answers> {
  const { space, device, commits, membership } = plane.status()!
  const questions: Readonly<Record<string, () => Promise<unknown>>> = {
    space: async () => [space, device, membership],
    commits: async () => commits,
    cards: () => plane.list(Card),
    notes: () => plane.list(Note),
    'some cards': () => plane.list(Card, { prefix: 'card 1', limit: 3 }),
    ...Object.fromEntries(cards.map((id) => [`card ${id}`, () => plane.get(Card, id).state()])),
    ...Object.fromEntries(notes.map((id) => [`note ${id}`, () => plane.get(Note, id).state()])),
    // Last: asking for what did not run sees to it that it never does.
    ...Object.fromEntries(operations.map((id) => [`operation ${id}`, () => plane.outcome(id)])),
  }
  const answers: Record<string, string> = {}
  for (const [question, ask] of Object.entries(questions)) answers[question] = await told(ask())
  return answers
}

async function told(answer: Promise<unknown>): Promise<string> {
  try {
    return JSON.stringify((await answer) ?? null)
  } catch (error) {
    if (error instanceof PeerplaneError) return `refused: ${error.code}`
    throw error
  }
}
