/** What a process used so far, or in one step. */
export interface Usage {
  readonly cpuSeconds: number
  readonly peakMiB: number
}

/** What the processes of one run tell, by kind; times are nanoseconds of the monotonic clock that they share. */
export interface Reports {
  /** The writer: all transactions are durable. */
  readonly written: Usage & { readonly seconds: number }
  /** A store of the workload was opened. */
  readonly opened: Usage & {
    readonly openMs: number
    readonly firstMs: number
    readonly listMs: number
  }
  readonly serving: { readonly address: string }
  /** A fresh peer reads every final value. */
  readonly caughtUp: Usage & {
    readonly visibleSeconds: number
    readonly durableSeconds: number
    readonly wireBytes: number
  }
  readonly watching: object
  readonly called: Usage & { readonly at: readonly string[] }
  readonly seen: Usage & { readonly at: readonly string[] }
}

export type ReportKind = keyof Reports

/** A report as it travels. */
export interface Message<Kind extends ReportKind = ReportKind> {
  readonly kind: Kind
  readonly report: Reports[Kind]
}
