import {
  document,
  text,
  type DocumentHandle,
  type EntityState,
  type StateModel,
  type TextHandle,
} from '@peerplane/core'
import { nativeModel } from '@peerplane/crdt-store'
import { documentModel } from '@peerplane/crdt-store/document'

import type { Patch } from './trace-recording.ts'

/** A kernel that holds a text. */
export interface TextKernel {
  readonly lifecycle: 'folded-as-delivered' | 'folded-when-opened'
  open(): Promise<StateModel>
  splice(handle: object, patch: Patch): void
  textOf(state: EntityState): string
}

/** The kernels that hold texts, by name. */
export const textKernels = {
  text: {
    lifecycle: 'folded-as-delivered',
    open: () => Promise.resolve(nativeModel(text())),
    splice: (handle, patch) => (handle as TextHandle).splice(...patch),
    textOf: ({ mirror }) => mirror as string,
  },
  document: {
    lifecycle: 'folded-when-opened',
    open: () => documentModel(document({ text: '' })),
    splice: (handle, patch) =>
      (handle as DocumentHandle<{ text: string }>).splice(['text'], ...patch),
    textOf: ({ mirror }) => (mirror as { readonly text: string }).text,
  },
} as const satisfies Record<string, TextKernel>

/** The kernel with a name, if there is one. */
export const textKernelOf = (name: string): TextKernel | undefined =>
  Object.hasOwn(textKernels, name) ? textKernels[name as keyof typeof textKernels] : undefined
