import { errorKinds, PeerplaneError } from '@peerplane/core'
import type { ErrorCode } from '@peerplane/core'
import type { PlaneStatus, Problem } from '@peerplane/runtime'

/** The error that `problem` was before it became data. */
export function problemError({ code, message }: Problem): PeerplaneError {
  const known = Object.hasOwn(errorKinds, code) ? (code as ErrorCode) : 'malformed'
  const error = new PeerplaneError(known, '')
  // As it was, with the advice that is already in it.
  error.message = message
  return error
}

/** The status at this moment of what `watch` watches. */
export async function currentStatus(
  watch: (listener: (status: PlaneStatus) => void) => () => void,
): Promise<PlaneStatus> {
  let stop = (): void => {}
  const status = await new Promise<PlaneStatus>((resolve) => {
    stop = watch(resolve)
  })
  stop()
  return status
}
