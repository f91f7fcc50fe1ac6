import { describe, expect, it } from 'vitest'

import { errorKinds, PeerplaneError, reasonOf } from './errors.ts'

describe('an error', () => {
  it.each(Object.entries(errorKinds))(
    'of code %s says what happened and what to do',
    (code, kind) => {
      const error = new PeerplaneError(code as keyof typeof errorKinds, 'it happened')
      expect(error.message).toBe(`it happened. ${kind.action}`)
      expect(kind.action).toMatch(/^[A-Z].*\.$/)
      expect(reasonOf(error)).toBe('it happened')
    },
  )

  it('carries the advice that fits its cause', () => {
    const error = new PeerplaneError('closed', 'the link was closed', { advice: 'Wait.' })
    expect(error.message).toBe('the link was closed. Wait.')
    expect(error.advice).toBe('Wait.')
    expect(reasonOf(error)).toBe('the link was closed')
  })

  it('does not give the advice of an error that caused it, nor its own twice', () => {
    const inner = new PeerplaneError('closed', 'the link was closed.')
    const outer = new PeerplaneError('unreachable', `nobody answers: ${reasonOf(inner)}`)
    const { action } = errorKinds.unreachable
    expect(outer.message).toBe(`nobody answers: the link was closed. ${action}`)
    expect(new PeerplaneError('unreachable', outer.message).message).toBe(outer.message)
  })

  it('takes the text of errors of others as it is', () => {
    expect(reasonOf(new TypeError('x is no function'))).toBe('x is no function')
    expect(reasonOf('text')).toBe('text')
  })
})
