import { Refusal, toBigInt } from "./ssh-wire.ts";

/** y² = x³ - 3x + b over the integers modulo p (FIPS 186-4, appendix D.1.2). */
interface Curve {
  p: bigint;
  b: bigint;
  /** Bytes of a coordinate. */
  size: number;
}

export const CURVES = {
  nistp256: {
    p: 2n ** 256n - 2n ** 224n + 2n ** 192n + 2n ** 96n - 1n,
    b: 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn,
    size: 32,
  },
  nistp384: {
    p: 2n ** 384n - 2n ** 128n - 2n ** 96n + 2n ** 32n - 1n,
    b: 0xb3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875ac656398d8a2ed19d2a85c8edd3ec2aefn,
    size: 48,
  },
  nistp521: {
    p: 2n ** 521n - 1n,
    b: BigInt(
      "0x0051953eb9618e1c9a1f929a21a0b68540eea2da725b99b315f3b8b489918ef109e156193951ec7e937b1652c0bd3bb1bf073573df883d2c34f1ef451fd46b503f00",
    ),
    size: 66,
  },
} satisfies Record<string, Curve>;

/** Refuses a point in another form than 0x04 x y, and one that is not on the curve (SEC 1, sections 2.3.4 and 3.2.2). */
export function checkPoint({ p, b, size }: Curve, point: Uint8Array): void {
  if (point.length !== 1 + 2 * size || point[0] !== 4) {
    throw new Refusal("The key's point has the wrong length or form: make a new key with ssh-keygen.");
  }
  const x = toBigInt(point.subarray(1, 1 + size));
  const y = toBigInt(point.subarray(1 + size));
  const onCurve = x < p && y < p && (x ** 3n - 3n * x + b - y ** 2n) % p === 0n;
  if (!onCurve) throw new Refusal("The key's point is not on its curve: copy the whole line of the .pub file again.");
}
