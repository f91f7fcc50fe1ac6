import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'

import type { Patch } from '../trace-recording.ts'

/** What one author does at once: as one command, on a text that has the effect of `parents` and of all before them. */
interface Step {
  readonly author: number
  /** Places of earlier steps; none for an empty text. */
  readonly parents: readonly number[]
  readonly patches: readonly Patch[]
}

/** Recorded edits of one or several authors. */
export interface Recording {
  readonly authors: number
  readonly transactions: number
  readonly steps: readonly Step[]
  readonly endContent: string
}

/** A file of josephg/editing-traces: the sequential and the concurrent form. */
interface File {
  readonly kind?: string
  readonly numAgents?: number
  readonly endContent: string
  readonly txns: readonly Transaction[]
}

interface Transaction {
  readonly agent?: number
  readonly parents?: readonly number[]
  readonly patches: readonly Patch[]
}

/**
 * The recording at `path`, JSON or gzipped JSON. Up to `most` transactions that follow each other become one step, unless somebody else has
 * seen a part of them.
 */
export function readSteps(path: string, most: number): Recording {
  const bytes = readFileSync(path)
  const isZipped = bytes[0] === 0x1f && bytes[1] === 0x8b
  return stepsOf(JSON.parse((isZipped ? gunzipSync(bytes) : bytes).toString()) as File, most)
}

/** {@link readSteps} of a file that was read. */
export function stepsOf({ numAgents = 1, endContent, txns }: File, most: number): Recording {
  const isConcurrent = txns.some(({ parents }) => parents !== undefined)
  const parentsOf = (at: number): readonly number[] =>
    isConcurrent ? txns[at]!.parents! : at > 0 ? [at - 1] : []
  const children = new Int32Array(txns.length)
  for (const at of txns.keys()) for (const parent of parentsOf(at)) children[parent]!++

  const steps: { author: number; parents: number[]; patches: Patch[]; size: number }[] = []
  /** The step of each transaction. */
  const stepOf: number[] = []
  for (const [at, { agent = 0, patches }] of txns.entries()) {
    const parents = parentsOf(at)
    const [only] = parents
    const before = parents.length === 1 ? steps[stepOf[only!]!] : undefined
    if (before && before.author === agent && children[only!] === 1 && before.size < most) {
      before.patches.push(...patches)
      before.size++
      stepOf.push(stepOf[only!]!)
    } else {
      const seen = new Set(parents.map((parent) => stepOf[parent]!))
      steps.push({ author: agent, parents: [...seen], patches: [...patches], size: 1 })
      stepOf.push(steps.length - 1)
    }
  }
  return { authors: numAgents, transactions: txns.length, steps, endContent }
}
