// Draws the emoji of seven sets, 128 px RGBA, without most of those that few people type, one after the other into px.bin, and lists them in meta.json.
//   node render.mjs WORK [THIN]      THIN: one drawing of so many, for a trial of the whole run
import fs from 'node:fs'
import path from 'node:path'
import { createRequire } from 'node:module'
import sharp from 'sharp'

const styles = { 'fluent-emoji': '3d', 'fluent-emoji-flat': 'flat', noto: 'noto', twemoji: 'twitter', 'noto-v1': 'blob', fxemoji: 'firefox', emojione: 'joy' }
const side = 128, margin = 4, atOnce = 64
const require = createRequire(import.meta.url)
const work = process.argv[2], thin = Number(process.argv[3] ?? 1)
if (!(thin >= 1)) throw new Error(`${process.argv[3]}: THIN is a number from 1 on`)
if (!work) throw new Error('node render.mjs WORK: name the folder that the drawings go to')

// What people type and look at, and what the model is asked for. The other drawings are there for what an image prompt may show.
const wanted = new Set(fs.readFileSync(new URL('names.txt', import.meta.url), 'utf8').trim().split('\n'))

const nameOf = icon => icon.replace(/-/g, ' ')

/** Skin tones, flags, families, and people of each sex: most of the drawings, and hardly different from each other at this size. */
function leftOut(name, names) {
  if (wanted.has(name)) return false
  if (/skin tone|flag$|^(flag|family|regionalindicator|couple|kiss |letter |\d)|^(man|woman|men|women|person|people|mx|merman|mermaid|merperson) /.test(name)) return true
  const toned = name.match(/^(.*?) (medium light|medium dark|light|medium|dark)( .*)?$/)
  return toned !== null && names.has(toned[1])
}

async function draw(set, icon) {
  const view = [icon.left ?? set.left ?? 0, icon.top ?? set.top ?? 0, icon.width ?? set.width ?? 16, icon.height ?? set.height ?? 16]
  const inner = side - 2 * margin
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="${view.join(' ')}" width="${inner}" height="${inner}">${icon.body}</svg>`
  const clear = '#0000'
  const pixels = await sharp(Buffer.from(svg)).resize(inner, inner, { fit: 'contain', background: clear })
    .extend({ top: margin, bottom: margin, left: margin, right: margin, background: clear })
    .ensureAlpha().toColourspace('srgb').raw().toBuffer()
  if (pixels.length !== side * side * 4) throw new Error(`${pixels.length} bytes where ${side * side * 4} are expected`)
  return pixels
}

fs.mkdirSync(work, { recursive: true })
const part = path.join(work, 'px.bin.part')
const out = fs.openSync(part, 'w')
const meta = []
let failed = 0
for (const [name, style] of Object.entries(styles)) {
  const set = JSON.parse(fs.readFileSync(require.resolve(`@iconify-json/${name}/icons.json`)))
  const names = new Set(Object.keys(set.icons).map(nameOf))
  const icons = Object.entries(set.icons).filter(([icon]) => !leftOut(nameOf(icon), names)).filter((_, i) => i % thin === 0)
  for (let i = 0; i < icons.length; i += atOnce) {
    const some = icons.slice(i, i + atOnce)
    const drawn = await Promise.allSettled(some.map(([, icon]) => draw(set, icon)))
    drawn.forEach((d, k) => {
      if (d.status === 'rejected') return failed++ // a few of the sets' drawings use features that librsvg lacks
      fs.writeSync(out, d.value)
      meta.push({ style, name: nameOf(some[k][0]) })
    })
  }
}
fs.closeSync(out)
fs.writeFileSync(path.join(work, 'meta.json'), JSON.stringify(meta))
fs.renameSync(part, path.join(work, 'px.bin'))
console.log(`${meta.length} drawings; ${failed} could not be drawn`)
