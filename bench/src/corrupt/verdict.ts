import { setTimeout as pause } from 'node:timers/promises'

import { PeerplaneError, type Plane } from '@peerplane/node'

import { answersOf, isRefusal, type Answers } from './answers.ts'
import { openScene, type Scene } from './scene.ts'

/** What became of a damaged store. */
export interface Verdict {
  /**
   * `right`: every answer is that of the whole store; what was hit is rebuilt, or says nothing. `refused`: some answers, or all of them,
   * are errors with a code, and the others are right. `prefix`: the answers of an earlier moment, and the status says which commits are
   * lost, as many as are. `wrong`: another answer, or silently an earlier one. `failed`: no answer, or an error without a code.
   */
  readonly as: 'right' | 'refused' | 'prefix' | 'wrong' | 'failed'
  /** The code, or what is wrong. */
  readonly because: string
}

/** For a loaded machine; an answer comes in a tenth of a second. */
const PATIENCE_MS = 60_000

/** Opens the store at `data`, which was damaged, and asks it for everything; `expected` is what the whole store says. */
export async function judge(data: string, scene: Scene, expected: Answers): Promise<Verdict> {
  const stray: unknown[] = []
  const onStray = (error: unknown): void => void stray.push(error)
  process.on('unhandledRejection', onStray)
  const waiting = new AbortController()
  try {
    const verdict = await Promise.race([examine(data, scene, expected), tooLong(waiting.signal)])
    const [first] = stray
    return first === undefined ? verdict : failed(`unhandled: ${describe(first)}`)
  } catch (error) {
    if (error instanceof PeerplaneError) return { as: 'refused', because: error.code }
    return failed(`no error of the catalogue: ${describe(error)}`)
  } finally {
    process.off('unhandledRejection', onStray)
    waiting.abort()
  }
}

async function examine(data: string, scene: Scene, expected: Answers): Promise<Verdict> {
  const plane = await openScene(data)
  try {
    const { lastError, lost } = plane.status()!
    const answers = await answersOf(plane, scene.known)
    const differing = differencesOf(answers, expected)
    const isNamed = lastError?.code === 'storage-lost'
    if (differing.length === 0) {
      return isNamed ? wrong('nothing is lost, but it says so') : withRefusals(answers)
    }
    const isEarlier = scene.history.some((each) => differencesOf(answers, each).length === 0)
    const missing = Number(expected['commits']) - Number(answers['commits'])
    if (isEarlier && isNamed && lost === missing) return { as: 'prefix', because: '' }
    if (isEarlier)
      return wrong(`an earlier moment: ${missing} commits are lost, and it says ${lost}`)
    const [question] = differing
    return wrong(`${question} is ${answers[question!]}, not ${expected[question!]}`)
  } finally {
    await closed(plane)
  }
}

/** Questions with another answer, which was not refused. */
const differencesOf = (answers: Answers, expected: Answers): string[] =>
  Object.keys(expected).filter(
    (question) => answers[question] !== expected[question] && !isRefusal(answers[question]!),
  )

function withRefusals(answers: Answers): Verdict {
  const refusal = Object.values(answers).find(isRefusal)
  return refusal === undefined
    ? { as: 'right', because: '' }
    : { as: 'refused', because: refusal.slice('refused: '.length) }
}

const wrong = (because: string): Verdict => ({ as: 'wrong', because: because.slice(0, 300) })
const failed = (because: string): Verdict => ({ as: 'failed', because: because.slice(0, 300) })

const describe = (error: unknown): string =>
  error instanceof Error ? (error.stack ?? error.message) : typeof error

const closed = (plane: Plane): Promise<void> =>
  plane.close().catch((error: unknown) => {
    if (!(error instanceof PeerplaneError)) throw error
  })

async function tooLong(signal: AbortSignal): Promise<Verdict> {
  await pause(PATIENCE_MS, undefined, { signal }).catch(() => undefined)
  return failed(`no answer within ${PATIENCE_MS} ms`)
}
