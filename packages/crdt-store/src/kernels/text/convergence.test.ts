import { list, map, record, text } from '@peerplane/core'
import { describe, test } from 'vitest'

import { changeOf, forgedOf } from '../random-states.fixture.test.ts'
import { convergeByCommands, convergeByForgedOps } from '../replicas.fixture.test.ts'

const shape = record({ body: text(), notes: map(record({ note: text() })), rows: list(text()) })

describe('texts of replicas', () => {
  test('converge to what the definition says, in whatever causal order', () =>
    convergeByCommands(text(), changeOf))

  test('converge also when ops name what they cannot know, and break rules', () =>
    convergeByForgedOps(text(), forgedOf))

  test('converge in maps, records and lists', () => convergeByCommands(shape, changeOf))
})
