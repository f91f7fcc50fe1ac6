/** A value that the canonical encoding supports: JSON values and byte strings. */
export type Value =
  | null
  | boolean
  | number
  | string
  | Uint8Array
  | readonly Value[]
  | { readonly [key: string]: Value }
