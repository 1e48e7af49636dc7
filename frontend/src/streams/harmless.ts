const CONTROLS = /[\u0000-\u0008\u000b-\u001f\u007f]/g;
/** Controls of eight bits, and what turns the direction of writing, by which a line could seem to say something else. */
const INVISIBLE = /[\u0080-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** Text in which what would act shows as a sign: ESC as ␛, the others by their number. Tabs and line ends stay. */
export const harmless = (text: string): string =>
  text
    .replace(CONTROLS, (character) => (character === "\x7f" ? "␡" : String.fromCharCode(0x2400 + code(character))))
    .replace(INVISIBLE, (character) => `<U+${code(character).toString(16).toUpperCase().padStart(4, "0")}>`);

const code = (character: string): number => character.charCodeAt(0);
