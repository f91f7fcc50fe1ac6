import type * as slim from '@automerge/automerge/slim'

/** The library, without the WASM of any environment. */
export type Automerge = typeof slim

/** A document in the memory of the WASM: its operations, without any plain state beside it. */
export type DocumentReplica = ReturnType<Automerge['getBackend']>
