/** Whoever comes from this machine could stop the process as well, or comes through a proxy on it. */
export const THIS_MACHINE: readonly string[] = ['127.0.0.1', '::1']
