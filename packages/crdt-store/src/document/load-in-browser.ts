import * as automerge from '@automerge/automerge/slim'

import type { Automerge } from './library.ts'

/** In browsers the WASM is a file of its own, which bundlers find by this form of URL and which is compiled while it arrives. */
export async function loadAutomerge(): Promise<Automerge> {
  if (!automerge.isWasmInitialized()) {
    await automerge.initializeWasm(
      new URL('@automerge/automerge/automerge.wasm', import.meta.url).href,
    )
  }
  return automerge
}
