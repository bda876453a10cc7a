/**
 * CLIP's tokenizer: words to the numbers that its text tower knows.
 *
 * It is byte-level BPE, as Radford et al. 2021 (arXiv 2103.00020, 2.4) have it: 256 bytes, the same
 * at the end of a word, 48,894 pairs of what was there before, and two marks around each text. The
 * pairs are a file that OpenAI published; everything else follows from their order.
 *
 * @module
 */
import { Tokenizer } from "@huggingface/tokenizers";

/** Tokens of a text with its two marks; the tower has positions for no more. */
export const MAX_TOKENS = 77;

const START = "<|startoftext|>";
const END = "<|endoftext|>";

/** Of the published list of pairs CLIP uses so many; its first line is a heading. */
const PAIRS = 49152 - 256 - 2;

/** Marks a token as the last of its word. */
const WORD_END = "</w>";

/** What a word is: contractions, runs of letters, single digits, runs of other signs. */
const WORD = "'s|'t|'re|'ve|'m|'ll|'d|[\\p{L}]+|[\\p{N}]|[^\\s\\p{L}\\p{N}]+";

export interface Tokens {
  /** With the mark before and the mark behind, {@link MAX_TOKENS} at most. */
  ids: number[];
  /** Whether the text was longer: what is behind is not looked at. */
  isTruncated: boolean;
}

export class ClipTokenizer {
  readonly #tokenizer: Tokenizer;
  readonly #end: number;

  private constructor(tokenizer: Tokenizer, end: number) {
    this.#tokenizer = tokenizer;
    this.#end = end;
  }

  /**
   * @param vocabulary the file of pairs as it was published, packed by gzip
   * @throws {Error} where it is none
   */
  static async from(vocabulary: Uint8Array<ArrayBuffer>): Promise<ClipTokenizer> {
    const unpacked = new Blob([vocabulary]).stream().pipeThrough(new DecompressionStream("gzip"));
    const lines = (await new Response(unpacked).text()).split("\n");
    const pairs = lines.slice(1, 1 + PAIRS);
    if (pairs.length < PAIRS || pairs.some((pair) => !/^\S+ \S+$/.test(pair))) {
      throw new Error("Cannot read CLIP's vocabulary: it is no list of 48,894 pairs");
    }
    const characters = characterOfByte();
    const tokens = [
      ...characters,
      ...characters.map((character) => character + WORD_END),
      ...pairs.map((pair) => pair.replace(" ", "")),
      START,
      END,
    ];
    const ids = Object.fromEntries(tokens.map((token, id) => [token, id]));
    const tokenizer = new Tokenizer(description(ids, pairs), {
      tokenizer_class: "CLIPTokenizer",
      model_max_length: MAX_TOKENS,
    });
    return new ClipTokenizer(tokenizer, ids[END]!);
  }

  /** Case and runs of white space don't matter; composed and decomposed letters are the same. */
  encode(text: string): Tokens {
    const { ids } = this.#tokenizer.encode(text);
    if (ids.length <= MAX_TOKENS) return { ids, isTruncated: false };
    // The tower reads the meaning of a text at the mark behind it.
    return { ids: [...ids.slice(0, MAX_TOKENS - 1), this.#end], isTruncated: true };
  }
}

/**
 * A visible character for each byte, in the order of their tokens: those that are visible in Latin-1
 * are themselves, the others follow from U+0100 on.
 */
function characterOfByte(): string[] {
  const isVisible = (byte: number) =>
    byte >= 0x21 && byte <= 0x7e || byte >= 0xa1 && byte <= 0xac || byte >= 0xae;
  const bytes = Array.from({ length: 256 }, (_, byte) => byte);
  const visible = bytes.filter(isVisible);
  const others = bytes.filter((byte) => !isVisible(byte));
  return [...visible, ...others.map((_, i) => 0x100 + i)].map((code) => String.fromCharCode(code));
}

/** The tokenizer as the library has it described: the format of the tokenizers library's files. */
function description(vocab: Record<string, number>, merges: string[]) {
  const mark = (content: string) => ({
    id: vocab[content]!,
    content,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: true,
    special: true,
  });
  return {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: [mark(START), mark(END)],
    normalizer: {
      type: "Sequence",
      normalizers: [
        { type: "NFC" },
        { type: "Replace", pattern: { Regex: "\\s+" }, content: " " },
        { type: "Lowercase" },
      ],
    },
    pre_tokenizer: {
      type: "Sequence",
      pretokenizers: [
        { type: "Split", pattern: { Regex: WORD }, behavior: "Removed", invert: true },
        { type: "ByteLevel", add_prefix_space: false, trim_offsets: true },
      ],
    },
    post_processor: {
      type: "RobertaProcessing",
      sep: [END, vocab[END]!],
      cls: [START, vocab[START]!],
      trim_offsets: false,
      add_prefix_space: false,
    },
    decoder: { type: "ByteLevel", add_prefix_space: true, trim_offsets: true },
    model: {
      type: "BPE",
      dropout: null,
      unk_token: END,
      continuing_subword_prefix: "",
      end_of_word_suffix: WORD_END,
      fuse_unk: false,
      vocab,
      merges,
    },
  };
}
