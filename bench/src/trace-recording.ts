import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'

/** One replacement of the recording: position, deleted characters, inserted text. */
export type Patch = readonly [number, number, string]

interface Recording {
  readonly startContent: string
  readonly endContent: string
  readonly txns: readonly { readonly patches: readonly Patch[] }[]
}

/** What the receiving process tells. */
export type ReceiverReport =
  | { readonly kind: 'ready' }
  | {
      readonly kind: 'done'
      readonly text: string
      /** For each view: keystrokes it shows, and when, in nanoseconds of the monotonic clock. */
      readonly shown: readonly (readonly [number, string])[]
      readonly wireBytes: number
    }

/** What the writing process tells. */
export type WriterReport =
  | { readonly kind: 'invited'; readonly invitation: string }
  | {
      readonly kind: 'done'
      readonly text: string
      /** For each commit: keystrokes made with it, and when its command was called. */
      readonly typed: readonly (readonly [number, string])[]
      readonly started: string
      readonly durable: string
      readonly commits: number
    }

/** The recording at `path`, gzipped JSON. */
export function readRecording(path: string): Recording {
  const recording = JSON.parse(gunzipSync(readFileSync(path)).toString()) as Recording
  if (recording.startContent !== '') throw new Error('the recording must start with an empty text')
  return recording
}
