/** A program on this machine could stop the process anyway, or is a proxy. */
export const THIS_MACHINE: readonly string[] = ['127.0.0.1', '::1']
