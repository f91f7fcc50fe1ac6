import { expect, it } from 'vitest'

import { Ledger } from './ledger.ts'

it('counts a beat that is known to be shown before its writer is heard', () => {
  const ledger = new Ledger()
  ledger.due({ number: 1, at: 0 })
  ledger.shown({ number: 2, at: 30 })
  ledger.due({ number: 2, at: 10 })
  expect(ledger.between(0, 100, 20_000).shown).toMatchObject({ count: 2, p50: 30, max: 30 })
})
