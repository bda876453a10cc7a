/**
 * A task as somebody would add it: all of it is in this file. It has no weights.
 *
 * @module
 */
import type { Task } from "../tasks/task.ts";

interface MeanColour {
  /** Red, green and blue, 0…255. */
  colour: number[];
  brightness: number;
}

/** Pixels on a side of what is averaged. */
const SIDE = 16;

/** Of the canary, by ImageMagick's `convert canary.jpg -scale 1x1! txt:`. [note: canary] */
const CANARY_COLOUR = [158, 142, 131];

export const meanColour: Task<{ decimals?: number }, MeanColour> = {
  type: "mean_colour",
  modelSetting: null,
  preprocess: 1,
  hasTower: false,
  optionsShape: ({ z }) => ({ decimals: z.int().min(0).max(3).optional() }),
  resultSchema: ({ z, schemaOf }) =>
    schemaOf<MeanColour>()({ colour: z.array(z.number()), brightness: z.number() })
      .meta({ id: "MeanColourResult" }),
  eventMembers: ({ brightness }) => ({ brightness }),
  faultOf({ colour }) {
    const apart = Math.max(...colour.map((value, i) => Math.abs(value - CANARY_COLOUR[i]!)));
    return apart <= 3 ? undefined : `its colour is ${apart} away from the one that is known`;
  },
  load: () =>
    Promise.resolve({
      prepare(picture, _entityId, { decimals = 0 }) {
        const { width, height } = picture;
        const pixels = picture.sample({ x: 0, y: 0, width, height }, SIDE, SIDE);
        return () => {
          const colour = [0, 1, 2].map((channel) => {
            let sum = 0;
            for (let i = channel; i < pixels.length; i += 3) sum += pixels[i]!;
            return Number((sum / (SIDE * SIDE)).toFixed(decimals));
          });
          const brightness = Math.round(colour.reduce((sum, value) => sum + value) / 3);
          return Promise.resolve({ colour, brightness });
        };
      },
    }),
};
