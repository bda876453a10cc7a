/**
 * A source was reached, and what it gave is not the file asked for: asking again gets the same,
 * unless somebody changes the source. Whatever else goes wrong with a source may pass by itself.
 */
export class SourceRefused extends Error {}
