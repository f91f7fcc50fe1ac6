import { traceEvents, type TraceFields, type TraceName } from '@peerplane/core'

/** How lines are written: for people, or one JSON object each. */
export const logFormats = ['text', 'json'] as const

export type LogFormat = (typeof logFormats)[number]

type Printed = string | number | boolean

/** More of a text says nothing new, and may be what a stranger chose. */
const TEXT_CHARACTERS = 300
const SHORT_ID = 8

/** An event as a line without its end. Fields of the kind `data` are left out, and those that are empty. */
export function logLine<Name extends TraceName>(
  format: LogFormat,
  timeMs: number,
  name: Name,
  fields: TraceFields<Name>,
): string {
  // oxlint-disable-next-line no-restricted-globals -- a function of its argument
  const time = new Date(timeMs).toISOString()
  const { level } = traceEvents[name]
  const printed = printedFields(name, fields)
  if (format === 'json') {
    const values = printed.map(({ field, value }) => [field, value])
    return escaped(JSON.stringify({ time, level, event: name, ...Object.fromEntries(values) }))
  }
  const texts = printed.map(({ field, kind, value }) => ` ${field}=${textOf(kind, value)}`)
  return `${time} ${level.padEnd(5)} ${name}${texts.join('')}`
}

interface PrintedField {
  readonly field: string
  readonly kind: string
  readonly value: Printed
}

function printedFields<Name extends TraceName>(
  name: Name,
  fields: TraceFields<Name>,
): PrintedField[] {
  const kinds: Readonly<Record<string, string>> = traceEvents[name].fields
  return Object.entries(kinds).flatMap(([field, kind]) => {
    const value = (fields as Readonly<Record<string, unknown>>)[field]
    if (kind === 'data' || value === undefined || value === '') return []
    return [{ field, kind, value: cut(value as Printed) }]
  })
}

const cut = (value: Printed): Printed =>
  typeof value === 'string' && value.length > TEXT_CHARACTERS
    ? `${value.slice(0, TEXT_CHARACTERS)}…`
    : value

function textOf(kind: string, value: Printed): string {
  if (typeof value !== 'string') return String(value)
  const shown = kind === 'id' ? shortened(value) : value
  return /^[\w./:@+-]+$/.test(shown) ? shown : escaped(JSON.stringify(shown))
}

/** Ids of devices and sessions are hex; those of the network all begin alike. */
const shortened = (id: string): string =>
  /^[0-9a-f]+$/.test(id) ? id.slice(0, SHORT_ID) : id.slice(-SHORT_ID)

/** JSON in which nothing moves the cursor of a terminal or turns what is read around. */
const escaped = (json: string): string =>
  json.replaceAll(
    /[\u007F-\u009F\u200E\u200F\u2028-\u202E\u2066-\u2069]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
