// A screenshot as a small PNG: of at most 256 colours, which a page of text on plain ground hardly passes.
//
// Not for PNGs of other kinds than the browser makes. The one decision to know: the colours that are there most often stay as they
// are, and every other becomes the one that is nearest to it: the edges of letters give way, not the grounds.

import zlib from 'node:zlib';

const SIGNATURE = 8;

/** Bytes of each chunk, those of the same name joined. */
function chunksOf(png) {
  const chunks = {};
  for (let at = SIGNATURE; at < png.length; at += 12 + png.readUInt32BE(at)) {
    const name = png.toString('latin1', at + 4, at + 8);
    chunks[name] = Buffer.concat([chunks[name] ?? Buffer.alloc(0), png.subarray(at + 8, at + 8 + png.readUInt32BE(at))]);
  }
  return chunks;
}

/** Takes the filters off: each row says in its first byte how its bytes were told from those to the left and above. */
function pixelsOf(data, width, height, bytes) {
  const row = width * bytes;
  const out = Buffer.alloc(row * height);
  for (let y = 0; y < height; y++) {
    const filter = data[y * (row + 1)];
    for (let x = 0; x < row; x++) {
      const at = y * row + x;
      const left = x >= bytes ? out[at - bytes] : 0;
      const up = y > 0 ? out[at - row] : 0;
      const corner = x >= bytes && y > 0 ? out[at - row - bytes] : 0;
      const near = [left, up, corner].map((one) => Math.abs(left + up - corner - one));
      const paeth = near[0] <= near[1] && near[0] <= near[2] ? left : near[1] <= near[2] ? up : corner;
      out[at] = data[y * (row + 1) + 1 + x] + [0, left, up, (left + up) >> 1, paeth][filter];
    }
  }
  return out;
}

function chunk(name, data) {
  const body = Buffer.concat([Buffer.from(name, 'latin1'), data]);
  const ends = [Buffer.alloc(4), Buffer.alloc(4)];
  ends[0].writeUInt32BE(data.length);
  ends[1].writeUInt32BE(zlib.crc32(body));
  return Buffer.concat([ends[0], body, ends[1]]);
}

export function smaller(png) {
  const { IHDR, IDAT } = chunksOf(png);
  const [width, height, bytes] = [IHDR.readUInt32BE(0), IHDR.readUInt32BE(4), IHDR[9] === 6 ? 4 : 3];
  const pixels = pixelsOf(zlib.inflateSync(IDAT), width, height, bytes);
  const colourAt = (pixel) => pixels.readUIntBE(pixel * bytes, 3);
  const counts = new Map();
  for (let pixel = 0; pixel < width * height; pixel++) counts.set(colourAt(pixel), (counts.get(colourAt(pixel)) ?? 0) + 1);
  const palette = [...counts].sort((a, b) => b[1] - a[1]).slice(0, 256).map(([colour]) => parts(colour));
  const nearest = new Map([...counts.keys()].map((colour) => [colour, closest(palette, parts(colour))]));
  const rows = Buffer.alloc((width + 1) * height);
  for (let pixel = 0; pixel < width * height; pixel++) rows[pixel + Math.floor(pixel / width) + 1] = nearest.get(colourAt(pixel));
  const header = Buffer.from(IHDR);
  header.set([8, 3, 0, 0, 0], 8);
  const data = zlib.deflateSync(rows, { level: 9 });
  return Buffer.concat([png.subarray(0, SIGNATURE), chunk('IHDR', header), chunk('PLTE', Buffer.from(palette.flat())), chunk('IDAT', data), chunk('IEND', Buffer.alloc(0))]);
}

function parts(colour) {
  return [colour >> 16, (colour >> 8) & 255, colour & 255];
}

/** Where in a palette the colour is that is least far away. */
function closest(palette, colour) {
  const far = palette.map((one) => one.reduce((sum, part, index) => sum + (part - colour[index]) ** 2, 0));
  return far.indexOf(Math.min(...far));
}
