import type { Random } from '../random.ts'
import {
  around,
  below,
  box,
  circle,
  convex,
  corners,
  everywhere,
  gradient,
  hsl,
  inside,
  type Layer,
  placed,
  ring,
  type Shape,
  union,
  without,
} from './canvas.ts'

const star: Shape = (x, y) => Math.hypot(x, y) - 0.68 - 0.26 * Math.cos(5 * Math.atan2(x, -y))
const drop: Shape = union(circle(0, 0.25, 0.55), convex([0, -0.95], [0.5, 0.05], [-0.5, 0.05]))
const moon = without(circle(0, 0, 0.85), circle(0.4, -0.2, 0.68))
const play = convex([-0.55, -0.8], [0.85, 0], [-0.55, 0.8])
const gem = convex(...corners(4, 0.95))
const SYMBOLS: readonly Shape[] = [star, drop, moon, play, gem, ring(0, 0, 0.6, 0.34)]

/** Art of a game: a landscape. */
export function scene(random: Random): Layer[] {
  const hue = random.int(0, 359)
  const [sunX, sunY] = [random.int(-55, 55) / 100, random.int(-60, -15) / 100]
  const hills = [0, 1, 2].map((depth): Layer => {
    const [wide, shift, high] = [random.int(14, 34) / 10, random.int(0, 60) / 10, random.int(8, 20) / 100]
    const line = (x: number) => 0.02 + depth * 0.3 + high * Math.sin(wide * x + shift) + 0.06 * Math.sin(3.1 * wide * x)
    return {
      shape: below(line),
      fill: gradient(hsl(hue + 160, 42, 46 - depth * 13), hsl(hue + 185, 46, 34 - depth * 11)),
    }
  })
  return [
    { shape: everywhere, fill: gradient(hsl(hue, 66, 36), hsl(hue + 46, 82, 74)) },
    ...stars(random),
    { shape: circle(sunX, sunY, 0.36), fill: hsl(hue + 50, 90, 86, 0.25) },
    { shape: circle(sunX, sunY, 0.26), fill: hsl(hue + 50, 95, 90) },
    ...hills,
  ]
}

function stars(random: Random): Layer[] {
  const dots = Array.from({ length: 12 }, () => circle(random.int(-95, 95) / 100, random.int(-95, -30) / 100, 0.012))
  return [{ shape: union(...dots), fill: hsl(0, 0, 100, 0.8) }]
}

/** An application's sign: something white on a rounded square. */
export function icon(random: Random): Layer[] {
  const hue = random.int(0, 359)
  return [
    { shape: box(0, 0, 1, 1, 0.44), fill: gradient(hsl(hue, 74, 60), hsl(hue + 35, 78, 40), 0.5) },
    { shape: placed(random.pick(SYMBOLS), 0, 0, 0.56), fill: hsl(0, 0, 100, 0.96) },
  ]
}

/** A server's badge, readable at 16 pixels; nothing around it. */
export function badge(random: Random): Layer[] {
  const hue = random.int(0, 359)
  const shield = union(box(0, -0.35, 0.8, 0.6, 0.16), convex([-0.8, 0], [0.8, 0], [0.72, 0.4], [0, 0.98], [-0.72, 0.4]))
  const plate = random.pick([shield, convex(...corners(6, 0.98)), circle(0, 0, 0.95)])
  return [
    { shape: plate, fill: gradient(hsl(hue, 68, 50), hsl(hue + 25, 70, 34)) },
    { shape: placed(plate, 0, 0, 0.82), fill: gradient(hsl(hue, 78, 68), hsl(hue + 25, 72, 50)) },
    { shape: placed(random.pick(SYMBOLS), 0, 0, 0.46), fill: hsl(hue, 40, 98) },
  ]
}

/** What goes around an avatar, which fills the middle five sixths: a wreath of flowers. `turn`: how far it has turned, from 0 to 1. */
export function decoration(random: Random, turn = 0): Layer[] {
  const hue = random.int(0, 359)
  const count = random.int(6, 9)
  const flowers = Array.from({ length: count }, (_, index): Layer[] => {
    // One step to the next flower, so that the last picture is followed by the first.
    const [x, y] = around((index + turn) / count, 0.84)
    return [
      { shape: inside(circle(x, y, 0.16), placed(flower, x, y, 0.15)), fill: hsl(hue + 30, 82, 74) },
      { shape: circle(x, y, 0.055), fill: hsl(48, 92, 62) },
    ]
  })
  const wreath = Array.from({ length: count * 4 }, (_, index) => circle(...around(index / count / 4, 0.84), 0.055))
  return [
    { shape: ring(0, 0, 0.84, 0.035), fill: hsl(hue + 100, 45, 36) },
    { shape: inside(ring(0, 0, 0.84, 0.12), union(...wreath)), fill: hsl(hue + 100, 50, 48) },
    ...flowers.flat(),
  ]
}

const flower: Shape = union(...corners(5, 0.56).map(([x, y]) => circle(x, y, 0.44)))

/** An album cover. */
export function cover(random: Random): Layer[] {
  const hue = random.int(0, 359)
  return random.pick([sunset, ripples, slants, lenses])(random, hue)
}

type Design = (random: Random, hue: number) => Layer[]

const sunset: Design = (random, hue) => {
  const gaps = [0, 1, 2, 3].map(index => box(0, 0.08 + index * 0.15, 1, 0.015 + index * 0.012))
  return [
    { shape: everywhere, fill: gradient(hsl(hue + 240, 60, 16), hsl(hue + 280, 55, 38)) },
    {
      shape: without(circle(0, 0, random.int(52, 66) / 100), union(...gaps)),
      fill: gradient(hsl(hue + 40, 95, 66), hsl(hue + 330, 88, 58)),
    },
  ]
}

const ripples: Design = (random, hue) => {
  const [x, y] = [random.int(-60, 60) / 100, random.int(-60, 60) / 100]
  const rings = [0.28, 0.56, 0.84, 1.12, 1.4].map((radius, index): Layer => {
    return { shape: ring(x, y, radius, 0.13), fill: hsl(hue + index * 14, 72, 62 - index * 5) }
  })
  return [
    { shape: everywhere, fill: gradient(hsl(hue + 190, 45, 20), hsl(hue + 220, 55, 12), 1) },
    ...rings,
    { shape: circle(x, y, 0.12), fill: hsl(hue, 90, 92) },
  ]
}

const slants: Design = (random, hue) => {
  const width = random.int(24, 40) / 100
  return [
    { shape: everywhere, fill: hsl(hue, 42, 90) },
    ...[0, 1, 2, 3].map((index): Layer => {
      const middle = (index - 1.5) * width * 1.5
      return { shape: (x, y) => Math.abs(x + y * 0.7 - middle) * 0.82 - width / 2, fill: hsl(hue + index * 28, 70, 56) }
    }),
    { shape: circle(0, 0, 0.34), fill: hsl(hue + 200, 50, 18) },
  ]
}

const lenses: Design = (random, hue) => [
  { shape: everywhere, fill: gradient(hsl(hue, 30, 94), hsl(hue + 30, 42, 82), 0.4) },
  ...[0, 1, 2].map((index): Layer => {
    const [x, y] = around(index / 3 + random.int(0, 9) / 100, 0.32)
    return { shape: circle(x, y, 0.52), fill: hsl(hue + index * 110, 78, 54, 0.72) }
  }),
]
