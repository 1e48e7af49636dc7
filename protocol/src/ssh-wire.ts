/** Why a key is refused: one sentence that its owner can act on. */
export class Refusal extends Error {}

const COPY_AGAIN = "copy the whole line of the .pub file again.";

/** Reads the parts of a key's blob (RFC 4251, section 5) in their order, each in its one canonical form. */
export class WireReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  string(): Uint8Array {
    return this.#take(toNumber(this.#take(4)));
  }

  /** A string whose bytes are characters: names in a key are ASCII. */
  text(): string {
    return String.fromCharCode(...this.string());
  }

  /** A number has one spelling: not negative, without needless zeros in front. */
  mpint(): bigint {
    const bytes = this.string();
    const [first = 0, second = 0] = bytes;
    const negative = first >= 0x80;
    const padded = bytes.length > 0 && first === 0 && second < 0x80;
    if (negative || padded) throw new Refusal(`The key holds a malformed number: ${COPY_AGAIN}`);
    return toBigInt(bytes);
  }

  end(): void {
    if (this.#at !== this.#bytes.length) throw new Refusal(`The key goes on after its end: ${COPY_AGAIN}`);
  }

  #take(length: number): Uint8Array {
    const end = this.#at + length;
    if (end > this.#bytes.length) throw new Refusal(`The key is cut short: ${COPY_AGAIN}`);
    const taken = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return taken;
  }
}

const toNumber = (bytes: Uint8Array): number => bytes.reduce((value, byte) => value * 256 + byte, 0);

export function toBigInt(bytes: Uint8Array): bigint {
  const digits = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0"));
  return BigInt(`0x0${digits.join("")}`);
}
