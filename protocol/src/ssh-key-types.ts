import { checkPoint, CURVES } from "./ssh-curves.ts";
import { Refusal, type WireReader } from "./ssh-wire.ts";

const MIN_RSA_BITS = 2048;
/** OpenSSL, and so sshd, refuses longer ones. */
const MAX_RSA_BITS = 16_384;
const ED25519_BYTES = 32;

/** Every accepted type, and the reader of what follows the type's name in its blob. */
export const KEY_TYPES: ReadonlyMap<string, (blob: WireReader) => void> = new Map([
  ["ssh-ed25519", readEd25519],
  ["ssh-rsa", readRsa],
  ["ecdsa-sha2-nistp256", readEcdsa("nistp256")],
  ["ecdsa-sha2-nistp384", readEcdsa("nistp384")],
  ["ecdsa-sha2-nistp521", readEcdsa("nistp521")],
  ["sk-ssh-ed25519@openssh.com", withApplication(readEd25519)],
  ["sk-ecdsa-sha2-nistp256@openssh.com", withApplication(readEcdsa("nistp256"))],
]);

function readEd25519(blob: WireReader): void {
  if (blob.string().length !== ED25519_BYTES) {
    throw new Refusal("An Ed25519 key is 32 bytes long, this one is not: copy the whole line of the .pub file again.");
  }
}

function readRsa(blob: WireReader): void {
  const exponent = blob.mpint();
  const modulus = blob.mpint();
  if (exponent < 3n || isEven(exponent) || isEven(modulus)) {
    throw new Refusal("The RSA key's numbers make no RSA key: make a new key with ssh-keygen.");
  }
  const bits = modulus.toString(2).length;
  if (bits < MIN_RSA_BITS || bits > MAX_RSA_BITS) {
    throw new Refusal(
      `An RSA key must have ${MIN_RSA_BITS} to ${MAX_RSA_BITS} bits, this one has ${bits}: make a new key with ssh-keygen.`,
    );
  }
}

function readEcdsa(curve: keyof typeof CURVES): (blob: WireReader) => void {
  return (blob) => {
    if (blob.text() !== curve)
      throw new Refusal("The key's curve is not that of its type: make a new key with ssh-keygen.");
    checkPoint(CURVES[curve], blob.string());
  };
}

/** A key that lives in a security token also says which application it was made for, as a rule `ssh:`. */
function withApplication(readKey: (blob: WireReader) => void): (blob: WireReader) => void {
  return (blob) => {
    readKey(blob);
    if (!/^[\x20-\x7e]{1,256}$/.test(blob.text())) {
      throw new Refusal("The security key's application is malformed: make a new key with ssh-keygen.");
    }
  };
}

const isEven = (value: bigint): boolean => value % 2n === 0n;
