/** Input of every command of the campaign: its name, which it leaves in the state, and what it does. */
export interface Marked {
  readonly mark: string
  readonly key: string
  readonly text: string
  readonly by: number
}
