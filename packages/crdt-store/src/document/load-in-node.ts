import * as automerge from '@automerge/automerge'

import type { Automerge } from './automerge.ts'

/** In Node, importing this module has read and compiled the WASM. */
export const loadAutomerge = async (): Promise<Automerge> => automerge
