import { endOf, type Need, testNeeding } from "@fovea/testing";
import assert from "node:assert/strict";
import { ClipTokenizer, MAX_TOKENS } from "./clip_tokenizer.ts";

const FILE = "bpe_simple_vocab_16e6.txt.gz";
const mirror = Deno.env.get("MODEL_MIRROR");
const path = `${mirror}/${FILE}`;
const vocabulary: Need = {
  what: `${FILE} in MODEL_MIRROR`,
  isThere: mirror !== undefined && await Deno.stat(path).then(() => true, () => false),
};
const read = async () => await ClipTokenizer.from(await Deno.readFile(path));

testNeeding([vocabulary], "texts have the ids that OpenAI's own tokenizer gives them", async () => {
  const tokenizer = await read();
  for (
    const [text, ids] of [
      ["a photo of a speaker on stage", [320, 1125, 539, 320, 4914, 525, 2170]],
      ["a photo of a cat", [320, 1125, 539, 320, 2368]],
      ["  A   Photo\tof a\nCAT ", [320, 1125, 539, 320, 2368]],
      ["hello world!", [3306, 1002, 256]],
      ["", []],
    ] as const
  ) {
    assert.deepEqual(tokenizer.encode(text), { ids: [49406, ...ids, 49407], isTruncated: false });
  }
});

testNeeding(
  [vocabulary],
  "texts of many scripts are cut up as the published pairs say",
  async () => {
    const tokenizer = await read();
    const plain = await PlainBpe.read(path);
    for (
      const text of [
        "don't, we'll, it's: they're I'd",
        "route 66, 1,234.5 km²",
        "Straße über die Brücke, naïve café",
        "cafe\u0301",
        "Кошка на диване",
        "η θάλασσα τὸ βράδυ",
        "猫がソファの上にいる",
        "고양이",
        "قطة على أريكة",
        "बिल्ली सोफे पर",
        "🐈 on a 🛋️ <3 ¯\\_(ツ)_/¯",
        "antidisestablishmentarianism_x-y.z",
        "\u0000\u007f\u00ad",
        "...!!!???",
      ]
    ) {
      assert.deepEqual(tokenizer.encode(text).ids, plain.encode(text), text);
    }
  },
);

testNeeding(
  [vocabulary],
  "a long text is cut off before its last mark, and the result says so",
  async () => {
    const tokenizer = await read();
    const words = (count: number) => new Array(count).fill("cat").join(" ");
    assert.deepEqual(tokenizer.encode(words(MAX_TOKENS - 2)), {
      ids: [49406, ...new Array(MAX_TOKENS - 2).fill(2368), 49407],
      isTruncated: false,
    });
    const { ids, isTruncated } = tokenizer.encode(words(2000));
    assert.deepEqual([ids.length, ids.at(-1), isTruncated], [MAX_TOKENS, 49407, true]);
  },
);

Deno.test("a file that is no vocabulary is refused", async () => {
  const packed = new Blob(["#version: 0.2\ni n\n"]).stream()
    .pipeThrough(new CompressionStream("gzip"));
  const bytes = new Uint8Array(await new Response(packed).arrayBuffer());
  await assert.rejects(ClipTokenizer.from(bytes), /^Error: Cannot read CLIP's vocabulary/);
});

/** Byte pair encoding as it is defined: of all pairs in a word the earliest published is joined first. */
class PlainBpe {
  readonly #rank = new Map<string, number>();
  readonly #characters: string[] = [];

  static async read(path: string): Promise<PlainBpe> {
    const { stdout } = await endOf("gzip", { args: ["-dc", path] });
    const bpe = new PlainBpe();
    stdout.split("\n").slice(1, 48895)
      .forEach((pair, rank) => bpe.#rank.set(pair, rank));
    for (let byte = 0, next = 256; byte < 256; byte++) {
      const isOwn = byte > 32 && byte < 127 || byte > 160 && byte !== 173;
      bpe.#characters.push(String.fromCharCode(isOwn ? byte : next++));
    }
    return bpe;
  }

  encode(text: string): number[] {
    const clean = text.normalize("NFC").replaceAll(/\s+/gu, " ").toLowerCase();
    const words = clean.match(/'s|'t|'re|'ve|'m|'ll|'d|\p{L}+|\p{N}|[^\s\p{L}\p{N}]+/gu) ?? [];
    return [49406, ...words.flatMap((word) => this.#word(word)), 49407];
  }

  #word(word: string): number[] {
    const parts = [...new TextEncoder().encode(word)].map((byte) => this.#characters[byte]!);
    parts.push(`${parts.pop()}</w>`);
    for (;;) {
      const ranks = parts.slice(1).map((part, i) =>
        this.#rank.get(`${parts[i]} ${part}`) ?? Infinity
      );
      const best = Math.min(...ranks);
      if (best === Infinity) break;
      for (let i = 0; i < parts.length - 1; i++) {
        if (this.#rank.get(`${parts[i]} ${parts[i + 1]}`) === best) {
          parts.splice(i, 2, parts[i]! + parts[i + 1]!);
        }
      }
    }
    return parts.map((part) => this.#id(part));
  }

  /** Bytes in the order of their visibility, bytes at a word's end, and then pairs as published. */
  #id(part: string): number {
    const bare = part.replace(/<\/w>$/, "");
    if ([...bare].length === 1) {
      const order = this.#characters.toSorted((a, b) => a.charCodeAt(0) - b.charCodeAt(0));
      return order.indexOf(bare) + (part === bare ? 0 : 256);
    }
    for (const [pair, rank] of this.#rank) {
      if (pair.replace(" ", "") === part) return 512 + rank;
    }
    throw new Error(`no token is "${part}"`);
  }
}
