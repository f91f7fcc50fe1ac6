import { escapeControls } from './controls.ts'

/** Describes any value in a few words, for an error message. */
export function describe(value: unknown): string {
  if (typeof value === 'string') {
    return escapeControls(JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value))
  }
  if (typeof value === 'symbol' || typeof value === 'function') return `a ${typeof value}`
  if (typeof value !== 'object' || value === null) return String(value)
  return isList(value) ? 'a list' : 'an object'
}

function isList(value: object): boolean {
  try {
    return Array.isArray(value)
  } catch {
    // Ignored: a proxy that was revoked is no list.
    return false
  }
}
