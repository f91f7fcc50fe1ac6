const CONTROLS = /[\p{Cc}\u2028\u2029\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069]/gu

/**
 * Whether a text has control characters, line separators or bidirectional controls. A name with control characters can look like a different name, or
 * manipulate a terminal or a log file.
 */
export const hasControls = (text: string): boolean => text.search(CONTROLS) >= 0

/** A part `.` or `..` between slashes or backslashes. */
const PATH_STEP = /(?:^|[/\\])\.{1,2}(?:$|[/\\])/u

/**
 * Whether a text may be a name: it has no control characters, see {@link hasControls}, and no part `.` or `..` between slashes or backslashes. Where
 * a name becomes a part of a path or an address, such a part would lead elsewhere.
 */
export const mayName = (text: string): boolean => !hasControls(text) && !PATH_STEP.test(text)

/** The text with an escape for each of these. */
export const escapeControls = (text: string): string =>
  text.replace(CONTROLS, (control) => `\\u${control.charCodeAt(0).toString(16).padStart(4, '0')}`)
