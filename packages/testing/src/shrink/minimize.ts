/**
 * A part of `items` that still fails and from which no single item can be left out (delta debugging, "ddmin": Zeller and Hildebrandt, IEEE
 * TSE 2002, without the step to subsets, which halves rarely need). `items` as a whole must fail.
 */
export async function minimize<T>(
  items: readonly T[],
  fails: (items: readonly T[]) => Promise<boolean>,
): Promise<readonly T[]> {
  let rest = items
  let size = Math.ceil(rest.length / 2)
  while (rest.length > 0) {
    const start = rest.length
    // From the end: later steps depend on earlier ones more often than the reverse.
    for (let to = rest.length; to > 0; to -= size) {
      const from = Math.max(0, to - size)
      const candidate = [...rest.slice(0, from), ...rest.slice(to)]
      if (await fails(candidate)) rest = candidate
    }
    if (size > 1) size = Math.ceil(size / 2)
    else if (rest.length === start) break
  }
  return rest
}
