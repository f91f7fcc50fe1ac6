import { expect, it } from 'vitest'

import { newPage, type Peerplane } from './page.fixture.test.ts'

/*
 * What a browser does when a person, a policy or a frame without rights forbids storage to a page, one function after the other: they fail
 * in a page of its own as they do there.
 */
type Blocked = Window & typeof globalThis & { peerplane?: Peerplane }

const denied = (page: Blocked): never => {
  throw new page.DOMException('access is denied in this context', 'SecurityError')
}

const ways: readonly [string, (page: Blocked) => void][] = [
  [
    'its databases throw when they are opened',
    (page) => {
      page.IDBFactory.prototype.open = () => denied(page)
      page.IDBFactory.prototype.databases = async () => denied(page)
      page.IDBFactory.prototype.deleteDatabase = () => denied(page)
    },
  ],
  [
    'its databases are not even named',
    (page) => Object.defineProperty(page, 'indexedDB', { get: () => denied(page) }),
  ],
  ['it gets no locks', (page) => (page.LockManager.prototype.request = async () => denied(page))],
  [
    'its locks are not even named',
    (page) => Object.defineProperty(page.navigator, 'locks', { get: () => denied(page) }),
  ],
  [
    'it gets no channel',
    (page) =>
      Object.assign(page, {
        BroadcastChannel: class {
          constructor() {
            denied(page)
          }
        },
      }),
  ],
]

it.each(ways)(
  'a page that is denied storage, locks or channels gets an error that says what is denied: %s',
  async (_, block) => {
    const { frame, loaded } = await newPage()
    block(frame.contentWindow as Blocked)
    const { open, spaces, eraseSpace } = loaded
    const space = `blocked ${performance.now()}`
    const expected = expect.objectContaining({ name: 'PeerplaneError', code: 'unsupported' })
    try {
      await expect(open({ entities: [], space, network: false })).rejects.toEqual(expected)
      for (const call of [spaces, () => eraseSpace(space)]) {
        // Those that need less than what is forbidden may work.
        const code = await call().then(
          () => 'none',
          (error: unknown) => (error as { readonly code?: unknown }).code,
        )
        expect(['none', 'unsupported']).toContain(code)
      }
    } finally {
      frame.remove()
    }
  },
)
