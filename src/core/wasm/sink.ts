/** Bytes of the binary format as they are written: LEB128 numbers, names, and parts behind their length (5.2). */
export class Sink {
  bytes = new Uint8Array(1 << 14);
  length = 0;

  /** Writes what `write` writes behind its length, as LEB128 padded to 5 bytes, so that nothing is moved. */
  sized(write: () => void): void {
    const at = this.length;
    for (let i = 0; i < 5; i++) this.byte(0);
    write();
    let length = this.length - at - 5;
    for (let i = 0; i < 5; i++) {
      this.bytes[at + i] = (length & 0x7f) | (i < 4 ? 0x80 : 0);
      length >>>= 7;
    }
  }

  #makeRoom(count: number): void {
    if (this.length + count <= this.bytes.length) return;
    const larger = new Uint8Array((this.length + count) * 2);
    larger.set(this.bytes);
    this.bytes = larger;
  }

  byte(value: number): void {
    if (this.length === this.bytes.length) this.#makeRoom(1);
    this.bytes[this.length++] = value;
  }
  bulk(bytes: Uint8Array): void {
    this.#makeRoom(bytes.length);
    this.bytes.set(bytes, this.length);
    this.length += bytes.length;
  }
  raw(bytes: Iterable<number>): void {
    for (const b of bytes) this.byte(b);
  }
  u32(value: number): void {
    let v = value >>> 0;
    while (v >= 0x80) {
      this.byte((v & 0x7f) | 0x80);
      v >>>= 7;
    }
    this.byte(v);
  }
  s32(value: number): void {
    let v = value | 0;
    for (;;) {
      const b = v & 0x7f;
      v >>= 7;
      if ((v === 0 && (b & 0x40) === 0) || (v === -1 && (b & 0x40) !== 0)) return this.byte(b);
      this.byte(b | 0x80);
    }
  }
  s64(value: bigint): void {
    let v = value;
    for (;;) {
      const b = Number(v & 0x7fn);
      v >>= 7n;
      if ((v === 0n && (b & 0x40) === 0) || (v === -1n && (b & 0x40) !== 0)) return this.byte(b);
      this.byte(b | 0x80);
    }
  }
  name(text: string): void {
    this.u32(text.length);
    for (let i = 0; i < text.length; i++) this.byte(text.charCodeAt(i));
  }
  done(): Uint8Array {
    return this.bytes.slice(0, this.length);
  }
}
