/** A zip of files as they are (method "stored"): PKWARE APPNOTE 6.3.10, sections 4.3.7, 4.3.12 and 4.3.16. */

const table = Array.from({ length: 256 }, (_, n) => {
  let value = n;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value >>> 0;
});

export function crc32(bytes: Uint8Array): number {
  let value = 0xffffffff;
  for (const byte of bytes) value = (value >>> 8) ^ (table[(value ^ byte) & 0xff] ?? 0);
  return (value ^ 0xffffffff) >>> 0;
}

/** Little-endian numbers of the given widths in bytes. */
function numbers(...fields: [value: number, width: 2 | 4][]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(fields.reduce((sum, [, width]) => sum + width, 0));
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const [value, width] of fields) {
    if (width === 2) view.setUint16(at, value, true);
    else view.setUint32(at, value, true);
    at += width;
  }
  return bytes;
}

/** Names in UTF-8 (flag bit 11); the date is 1 January 1980, since files made here have no other. */
export function zipped(files: { name: string; content: ArrayBuffer }[]): Blob {
  const parts: BlobPart[] = [];
  const directory: BlobPart[] = [];
  let offset = 0;
  let listed = 0;
  for (const file of files) {
    const name = new TextEncoder().encode(file.name);
    const size = file.content.byteLength;
    const sum = crc32(new Uint8Array(file.content));
    const shared: [number, 2 | 4][] = [[20, 2], [0x0800, 2], [0, 2], [0, 2], [33, 2], [sum, 4], [size, 4], [size, 4], [name.length, 2], [0, 2]];
    parts.push(numbers([0x04034b50, 4], ...shared), name, file.content);
    directory.push(numbers([0x02014b50, 4], [20, 2], ...shared, [0, 2], [0, 2], [0, 2], [0, 4], [offset, 4]), name);
    offset += 30 + name.length + size;
    listed += 46 + name.length;
  }
  const end = numbers([0x06054b50, 4], [0, 2], [0, 2], [files.length, 2], [files.length, 2], [listed, 4], [offset, 4], [0, 2]);
  return new Blob([...parts, ...directory, end], { type: 'application/zip' });
}
