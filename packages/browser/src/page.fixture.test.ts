import { expect, vi } from 'vitest'

import type * as peerplane from './index.ts'

/** The product as a page has loaded it. */
export type Peerplane = typeof peerplane

/** A page of its own that has loaded the product: its locks, channels and memory go with its frame. */
export async function newPage(): Promise<{ frame: HTMLIFrameElement; loaded: Peerplane }> {
  const frame = document.createElement('iframe')
  frame.srcdoc = '<!doctype html>'
  const ready = new Promise((resolve) => frame.addEventListener('load', resolve, { once: true }))
  document.body.append(frame)
  await ready
  const page = frame.contentWindow as Window & { peerplane?: Peerplane }
  const script = page.document.createElement('script')
  script.type = 'module'
  script.textContent = `import * as peerplane from '${new URL('./index.ts', import.meta.url).href}'
    window.peerplane = peerplane`
  page.document.body.append(script)
  await vi.waitFor(() => expect(page.peerplane).toBeDefined(), 40_000)
  return { frame, loaded: page.peerplane! }
}
