import { Transform, type TransformCallback } from "node:stream";

const HEAD_BYTES = 8;
const LENGTH_AT = 4;

/**
 * Takes the heads out of a log that the Engine gives in frames: 8 bytes before each piece, of which the last four are the
 * piece's length. https://docs.docker.com/reference/api/engine/version/v1.41/#tag/Container/operation/ContainerAttach
 */
export class WithoutFrames extends Transform {
  #head: Buffer = Buffer.alloc(0);
  /** Of the piece that is on its way. */
  #missing = 0;

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    let rest = chunk;
    while (rest.length > 0) {
      if (this.#missing > 0) {
        const piece = rest.subarray(0, this.#missing);
        this.#missing -= piece.length;
        rest = rest.subarray(piece.length);
        this.push(piece);
      } else {
        const more = rest.subarray(0, HEAD_BYTES - this.#head.length);
        this.#head = Buffer.concat([this.#head, more]);
        rest = rest.subarray(more.length);
        if (this.#head.length < HEAD_BYTES) break;
        this.#missing = this.#head.readUInt32BE(LENGTH_AT);
        this.#head = Buffer.alloc(0);
      }
    }
    done();
  }
}
