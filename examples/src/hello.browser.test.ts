import { expect, it, vi } from 'vitest'

it('counts a vote in a browser', async () => {
  const print = vi.spyOn(console, 'log').mockImplementation(() => undefined)
  await import('./hello.ts')
  await vi.waitFor(() => expect(print.mock.calls).toEqual([[0], [1]]))
})
