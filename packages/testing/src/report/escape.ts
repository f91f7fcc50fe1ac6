const ENTITIES: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
  '\n': '&#10;',
}

/** A text as HTML, in content and in attributes. */
export const escape = (text: string): string =>
  text.replaceAll(/[&<>"'\n]/g, (character) => ENTITIES[character]!)
