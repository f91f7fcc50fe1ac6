import { expect, test } from 'vitest'

import type { PeerplaneError } from '../errors.ts'
import { checkName } from './entity.ts'

test('a name with control characters is refused, and the error shows them as escapes', () => {
  for (const control of [
    '\0',
    '\n',
    '\u001B',
    '\u007F',
    '\u009B',
    '\u2028',
    '\u202E',
    '\u2069',
    '\u200E',
  ]) {
    const error = errorOf(() => checkName(`a${control}b`, 'an entity id'))
    expect(error).toMatchObject({ code: 'invalid-input' })
    const { message } = error!
    expect(message).toContain('an entity id has no control characters')
    expect(message).not.toContain(control)
  }
  for (const name of ['..', '../../x', 'a/./b', 'a\\..']) {
    expect(errorOf(() => checkName(name, 'an id'))).toMatchObject({ code: 'invalid-input' })
  }
  for (const name of ['a', 'a\uFEFFb', '..x/...', '👍', 'a b', 'é', '__proto__']) {
    expect(checkName(name, 'a name')).toBe(name)
  }
})

function errorOf(task: () => unknown): PeerplaneError | undefined {
  try {
    task()
    return undefined
  } catch (error) {
    return error as PeerplaneError
  }
}
