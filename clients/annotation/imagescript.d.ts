/** What is used of imagescript's picture: see [note: inner files of imagescript]. */
export default class Framebuffer {
  readonly width: number;
  readonly height: number;
  /** Red, green, blue, opacity of each pixel, rows from the top. */
  readonly u8: Uint8Array;
  /** The same, a pixel a number, in the machine's byte order. */
  readonly u32: Uint32Array;

  /** @param pixels 4 × width × height bytes, kept; without them all are 0 */
  constructor(width: number, height: number, pixels?: Uint8Array);

  /** Turns clockwise, in place. */
  rotate(degrees: 90 | 180 | 270): this;
  /** Mirrors in place. */
  flip(direction: "horizontal" | "vertical"): this;
  /** @param colour 0xRRGGBBAA */
  fill(colour: number): this;
  /** Puts another picture onto this one; what lies outside is left out. */
  replace(picture: Framebuffer, x: number, y: number): this;
  /** A copy of a part, which has to lie inside. */
  cut(shape: "box", x: number, y: number, width: number, height: number): Framebuffer;
  encode(format: "png"): Uint8Array;
}
