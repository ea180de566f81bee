/** Names on a foreign image are anybody's: nothing of them may steer the terminal. */
export function printable(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, '\u{fffd}')
}
