// time of a 50 MP PNG with alpha
import { MagickImage, MagickFormat, MagickColor, MagickReadSettings, MagickGeometry, FilterType, initializeImageMagick, Magick } from "@imagemagick/magick-wasm";
import { makePicture } from "./testing/made_pictures.ts";
import { renderThumbnail } from "./thumbnails/render.ts";
const f = "/tmp/store_pics/alpha50.png";
try { Deno.statSync(f) } catch {
  const o = new Deno.Command("python3", { args: ["-c", `
from PIL import Image; import numpy
`]}).outputSync();
}
const bytes = Deno.readFileSync(f);
console.log(bytes.length/1e6, "MB");
for (let i=0;i<2;i++){ const c0=process.cpuUsage(); const t=performance.now(); const th = await renderThumbnail(bytes, {size:256, format:"webp", maxPixels:50_000_000}); const c=process.cpuUsage(c0); console.log("thumbnail", th.length, "wall",(performance.now()-t).toFixed(), "cpu", ((c.user+c.system)/1000).toFixed(), "rss", (Deno.memoryUsage().rss/1e6).toFixed()); }
import process from "node:process";
const phases = (name: string, fn: ()=>void) => { const c0=process.threadCpuUsage(); fn(); const c=process.threadCpuUsage(c0); console.log(name.padEnd(40), ((c.user+c.system)/1000).toFixed()); };
const image = MagickImage.create();
phases("read", () => image.read(bytes, new MagickReadSettings({ format: MagickFormat.Png })));
console.log(image.width, image.height, image.hasAlpha, image.depth, image.colorSpace);
if (Deno.args.includes("clone")) { }
const side=(n:number)=>new MagickGeometry(`${n}x${n}`);
for (const [n, fn] of [["sample 1024", (i: any)=>i.sample(1024, 1024)], ["box 512", (i:any)=>i.resize(side(512), FilterType.Box)], ["scale 512", (i:any)=>i.scale(512,512)]] as const) {
  image.clone((c) => phases(n, () => fn(c)));
}
