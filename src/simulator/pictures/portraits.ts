import type { Random } from '../random.ts'
import {
  around,
  box,
  circle,
  convex,
  everywhere,
  gradient,
  hsl,
  type Layer,
  ring,
  type Shape,
  union,
  without,
} from './canvas.ts'

const DARK = hsl(240, 30, 16)
const WHITE = hsl(0, 0, 100)

/** Somebody with ears, one of many thousands; with a `turn` their eyes are closed. */
export function avatar(random: Random, turn = 0): Layer[] {
  const hue = random.int(0, 359)
  const fur = hue + random.pick([35, 150, 180, 210])
  const ears = random.pick(EARS)
  const head = circle(0, 0.16, 0.56)
  return [
    { shape: everywhere, fill: gradient(hsl(hue, 72, 66), hsl(hue + 40, 68, 44), 0.6) },
    { shape: circle(0, 1.2, 0.72), fill: hsl(fur, 48, 62) },
    { shape: ears(1), fill: hsl(fur, 50, 70) },
    { shape: ears(0.55), fill: hsl(fur + 20, 55, 52) },
    { shape: head, fill: gradient(hsl(fur, 55, 86), hsl(fur, 52, 72)) },
    ...face(random, 0.12, hsl(fur + 330, 80, 66, 0.55), turn > 0),
  ]
}

/** A pair of ears; `part`: 1 whole, less for what is inside. */
const EARS: readonly ((part: number) => Shape)[] = [
  part => union(circle(-0.42, -0.3, 0.24 * part), circle(0.42, -0.3, 0.24 * part)),
  part =>
    union(
      box(-0.25, -0.5, 0.13 * part, 0.36 * part, 0.13 * part),
      box(0.25, -0.5, 0.13 * part, 0.36 * part, 0.13 * part),
    ),
  part => union(pointed(-0.36, part), pointed(0.36, part)),
  part =>
    union(
      box(-0.52, 0.1, 0.15 * part, 0.42 * part, 0.15 * part),
      box(0.52, 0.1, 0.15 * part, 0.42 * part, 0.15 * part),
    ),
]

function pointed(x: number, part: number): Shape {
  const lean = Math.sign(x) * 0.12
  const [tip, foot] = [-0.24 - 0.42 * part, -0.24 + 0.16 * part]
  return convex([x + lean, tip], [x + 0.24 * part, foot], [x - 0.24 * part, foot])
}

/** Eyes, cheeks and a mouth around the height `y`. */
function face(random: Random, y: number, cheeks: Layer['fill'], asleep = false): Layer[] {
  const apart = random.int(19, 27) / 100
  const eye = random.int(65, 90) / 1000
  return [
    { shape: union(circle(-apart - 0.12, y + 0.17, 0.09), circle(apart + 0.12, y + 0.17, 0.09)), fill: cheeks },
    ...(asleep ? closedEyes(apart, y, eye) : openEyes(apart, y, eye)),
    { shape: random.pick(MOUTHS)(y + 0.16), fill: DARK },
  ]
}

function openEyes(apart: number, y: number, size: number): Layer[] {
  const glint = (x: number) => circle(x + 0.025, y - 0.03, size / 3)
  return [
    { shape: union(circle(-apart, y, size), circle(apart, y, size)), fill: DARK },
    { shape: union(glint(-apart), glint(apart)), fill: WHITE },
  ]
}

function closedEyes(apart: number, y: number, size: number): Layer[] {
  const lid = (x: number) => box(x, y, size, 0.018, 0.018)
  return [{ shape: union(lid(-apart), lid(apart)), fill: DARK }]
}

const above =
  (height: number): Shape =>
  (_, y) =>
    y - height

const MOUTHS: readonly ((y: number) => Shape)[] = [
  y => without(ring(0, y - 0.03, 0.13, 0.045), above(y)),
  y => without(circle(0, y - 0.02, 0.14), above(y)),
  y => union(halfRing(-0.08, y), halfRing(0.08, y)),
  y => circle(0, y + 0.05, 0.06),
]

/** The lower half of a small ring. */
function halfRing(x: number, y: number): Shape {
  return without(ring(x, y, 0.08, 0.04), above(y))
}

const DEFAULT_COLOURS = [
  hsl(235, 60, 62),
  hsl(214, 8, 50),
  hsl(150, 45, 42),
  hsl(37, 88, 52),
  hsl(359, 75, 58),
  hsl(327, 72, 60),
]

/** One of the pictures of people who have none: head and shoulders. */
export function defaultAvatar(index: number): Layer[] {
  return [
    { shape: everywhere, fill: DEFAULT_COLOURS[index] ?? DARK },
    { shape: union(circle(0, -0.2, 0.34), circle(0, 0.98, 0.66)), fill: WHITE },
  ]
}

/** A custom emoji: a round face, a sprout on its head. */
export function emoji(random: Random): Layer[] {
  const hue = random.pick([95, 120, 48, 200, 275, 330])
  const [leafX, leafY] = around(0.06, 0.78)
  return [
    { shape: circle(0, 0.14, 0.8), fill: gradient(hsl(hue, 72, 68), hsl(hue + 12, 64, 46)) },
    { shape: box(0, -0.72, 0.045, 0.2, 0.04), fill: hsl(120, 45, 30) },
    { shape: union(leaf(leafX, leafY, 1), leaf(-leafX, leafY, -1)), fill: hsl(112, 58, 44) },
    ...face(random, 0.1, hsl(350, 85, 65, 0.5)),
  ]
}

function leaf(x: number, y: number, side: number): Shape {
  const [upper, lower] = [circle(x, y - 0.14, 0.28), circle(x + side * 0.06, y + 0.16, 0.28)]
  return (atX, atY) => Math.max(upper(atX, atY), lower(atX, atY))
}
