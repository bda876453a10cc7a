/**
 * The size of a HEIC or AVIF picture as a viewer shows it. Phones store a portrait as a landscape,
 * in tiles, and say in properties of the whole how to crop and turn it, so the first size that stands
 * in the file is rarely the picture's.
 *
 * Boxes and properties are those of ISO/IEC 14496-12 (8.11) and 23008-12 (6.5): the primary item
 * (`pitm`) is associated (`ipma`) with properties (`ipco`), among them its size (`ispe`), the part of
 * it that is shown (`clap`) and quarter turns (`irot`).
 *
 * @module
 */

export interface Size {
  /** Pixels. */
  width: number;
  height: number;
}

interface Box {
  type: string;
  /** Its content, without size and type. */
  content: DataView;
}

/** @throws {Error} where the primary item's size can't be found */
export function heifSize(bytes: Uint8Array<ArrayBuffer>): Size {
  const file = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const meta = skipFlags(theBox(file, "meta"));
  const properties = theBox(meta, "iprp");
  const shared = [...boxes(theBox(properties, "ipco"))];
  const own = associations(theBox(properties, "ipma"), primaryItem(theBox(meta, "pitm")))
    // 0 stands for no property, the first is 1.
    .map((index) => shared[index - 1])
    .filter((box) => box !== undefined);

  const size = skipFlags(theOf(own, "ispe"));
  let [width, height] = [size.getUint32(0), size.getUint32(4)];
  for (const { type, content } of own) {
    if (type === "clap") {
      width = Math.min(width, Math.round(content.getUint32(0) / content.getUint32(4)));
      height = Math.min(height, Math.round(content.getUint32(8) / content.getUint32(12)));
    }
    if (type === "irot" && (content.getUint8(0) & 1) === 1) [width, height] = [height, width];
  }
  return { width, height };
}

function* boxes(content: DataView): Generator<Box> {
  for (let at = 0; at + 8 <= content.byteLength;) {
    let size = content.getUint32(at);
    let header = 8;
    if (size === 1) {
      size = Number(content.getBigUint64(at + 8));
      header = 16;
    }
    const left = content.byteLength - at;
    // 0: up to the end. A box that runs over the end is cut off there: pixels follow the sizes.
    if (size === 0 || size > left) size = left;
    if (size < header) throw new Error(`box of ${size} bytes, fewer than its header has`);
    yield {
      type: String.fromCharCode(...[4, 5, 6, 7].map((i) => content.getUint8(at + i))),
      content: new DataView(content.buffer, content.byteOffset + at + header, size - header),
    };
    at += size;
  }
}

function theBox(content: DataView, type: string): DataView {
  return theOf(boxes(content), type);
}

function theOf(candidates: Iterable<Box>, type: string): DataView {
  for (const box of candidates) if (box.type === type) return box.content;
  throw new Error(`box "${type}" is missing`);
}

/** A "full box" begins with a version byte and three bytes of flags. */
function skipFlags(content: DataView): DataView {
  return new DataView(content.buffer, content.byteOffset + 4, content.byteLength - 4);
}

function primaryItem(pitm: DataView): number {
  return pitm.getUint8(0) === 0 ? pitm.getUint16(4) : pitm.getUint32(4);
}

/** Indices of the item's properties, from 1, in the order in which they apply. */
function associations(ipma: DataView, item: number): number[] {
  const wideItems = ipma.getUint8(0) >= 1;
  const wideIndices = (ipma.getUint8(3) & 1) === 1;
  const entries = ipma.getUint32(4);
  let at = 8;
  for (let entry = 0; entry < entries; entry++) {
    const id = wideItems ? ipma.getUint32(at) : ipma.getUint16(at);
    at += wideItems ? 4 : 2;
    const indices = Array.from({ length: ipma.getUint8(at) }, (_, i) =>
      // The highest bit says whether a reader must understand the property.
      wideIndices ? ipma.getUint16(at + 1 + 2 * i) & 0x7fff : ipma.getUint8(at + 1 + i) & 0x7f);
    if (id === item) return indices;
    at += 1 + indices.length * (wideIndices ? 2 : 1);
  }
  throw new Error(`item ${item} has no properties`);
}
