import * as automerge from '@automerge/automerge'

import type { Automerge } from './library.ts'

/** In Node, importing this module has read and compiled the WASM. */
export const loadAutomerge = async (): Promise<Automerge> => automerge
