/** Red, green and blue from 0 to 255, opacity from 0 to 1. */
export type Colour = readonly [number, number, number, number]

/**
 * How far a point is from a shape's edge, less than 0 inside. Pictures reach from -1 to 1, x to the right and y down:
 * so a shape looks the same at every size, and its edge is smooth.
 */
export type Shape = (x: number, y: number) => number

/** A shape and what fills it. */
export interface Layer {
  readonly shape: Shape
  readonly fill: Colour | ((x: number, y: number) => Colour)
}

/** Paints layers over each other: `size` by `size` pixels of red, green, blue and opacity, a byte each. */
export function paint(size: number, layers: readonly Layer[]): Uint8Array {
  const pixels = new Uint8Array(size * size * 4)
  for (let row = 0, at = 0; row < size; row++) {
    const y = (2 * row + 1) / size - 1
    for (let column = 0; column < size; column++, at += 4)
      paintPixel(pixels, at, layers, (2 * column + 1) / size - 1, y, size / 2)
  }
  return pixels
}

/** From the uppermost layer down, until nothing shines through. `scale`: pixels for a distance of 1. */
function paintPixel(
  pixels: Uint8Array,
  at: number,
  layers: readonly Layer[],
  x: number,
  y: number,
  scale: number,
): void {
  let [red, green, blue, left] = [0, 0, 0, 1]
  for (let index = layers.length - 1; index >= 0 && left > 0.002; index--) {
    const { shape, fill } = layers[index] as Layer
    const covered = Math.min(1, 0.5 - shape(x, y) * scale)
    if (covered <= 0) continue
    const colour = typeof fill === 'function' ? fill(x, y) : fill
    const own = covered * colour[3] * left
    red += colour[0] * own
    green += colour[1] * own
    blue += colour[2] * own
    left -= own
  }
  const opacity = 1 - left
  if (opacity <= 0) return
  pixels[at] = Math.round(red / opacity)
  pixels[at + 1] = Math.round(green / opacity)
  pixels[at + 2] = Math.round(blue / opacity)
  pixels[at + 3] = Math.round(opacity * 255)
}

/** Math.hypot takes its time with care for overflows. */
const distance = (x: number, y: number) => Math.sqrt(x * x + y * y)

/** Hue in degrees, saturation and lightness in percent. */
export function hsl(hue: number, saturation: number, lightness: number, opacity = 1): Colour {
  const light = lightness / 100
  const chroma = (saturation / 100) * Math.min(light, 1 - light)
  const channel = (n: number) => {
    const k = (n + (((hue % 360) + 360) % 360) / 30) % 12
    return 255 * (light - chroma * Math.max(-1, Math.min(k - 3, 9 - k, 1)))
  }
  return [channel(0), channel(8), channel(4), opacity]
}

/** From one colour at the top to another at the bottom, or slanted by `slant` (1: from corner to corner). */
export function gradient(from: Colour, to: Colour, slant = 0) {
  return (x: number, y: number): Colour => {
    const part = Math.min(1, Math.max(0, ((y + slant * x) / (1 + Math.abs(slant)) + 1) / 2))
    const mix = (a: number, b: number) => a + (b - a) * part
    return [mix(from[0], to[0]), mix(from[1], to[1]), mix(from[2], to[2]), mix(from[3], to[3])]
  }
}

export const everywhere: Shape = () => -1

export function circle(centreX: number, centreY: number, radius: number): Shape {
  return (x, y) => distance(x - centreX, y - centreY) - radius
}

/** A circle's line, `width` wide. */
export function ring(centreX: number, centreY: number, radius: number, width: number): Shape {
  const whole = circle(centreX, centreY, radius)
  return (x, y) => Math.abs(whole(x, y)) - width / 2
}

/** A rectangle of twice the half sizes, its corners rounded. */
export function box(centreX: number, centreY: number, halfWidth: number, halfHeight: number, round = 0): Shape {
  return (x, y) => {
    const [outX, outY] = [Math.abs(x - centreX) - halfWidth + round, Math.abs(y - centreY) - halfHeight + round]
    return distance(Math.max(outX, 0), Math.max(outY, 0)) + Math.min(Math.max(outX, outY), 0) - round
  }
}

/** A polygon without dents, its corners clockwise as seen. */
export function convex(...corners: readonly (readonly [number, number])[]): Shape {
  const sides = corners.map(([fromX, fromY], index) => {
    const [toX, toY] = corners[(index + 1) % corners.length] ?? [0, 0]
    const length = Math.hypot(toX - fromX, toY - fromY)
    const [normalX, normalY] = [(toY - fromY) / length, (fromX - toX) / length]
    return { normalX, normalY, offset: normalX * fromX + normalY * fromY }
  })
  return (x, y) => {
    let furthest = Number.NEGATIVE_INFINITY
    for (const side of sides) furthest = Math.max(furthest, side.normalX * x + side.normalY * y - side.offset)
    return furthest
  }
}

/** Corners of a regular polygon, the first one at the top. */
export function corners(count: number, radius: number): [number, number][] {
  return Array.from({ length: count }, (_, index) => around(index / count, radius))
}

/** The point at a part of a whole turn, clockwise from the top. */
export function around(turn: number, radius: number): [number, number] {
  return [radius * Math.sin(turn * 2 * Math.PI), -radius * Math.cos(turn * 2 * Math.PI)]
}

/** Everything under a line. */
export function below(line: (x: number) => number): Shape {
  return (x, y) => line(x) - y
}

export function union(...shapes: readonly Shape[]): Shape {
  return (x, y) => {
    let nearest = Number.POSITIVE_INFINITY
    for (const shape of shapes) nearest = Math.min(nearest, shape(x, y))
    return nearest
  }
}

export function without(shape: Shape, taken: Shape): Shape {
  return (x, y) => Math.max(shape(x, y), -taken(x, y))
}

/** The same shape, not looked at in detail by points outside of `bound`, which has it all inside. */
export function inside(bound: Shape, shape: Shape): Shape {
  return (x, y) => {
    const far = bound(x, y)
    return far > 0.1 ? far : shape(x, y)
  }
}

/** The same shape smaller (or larger) and elsewhere. */
export function placed(shape: Shape, centreX: number, centreY: number, scale: number): Shape {
  return (x, y) => shape((x - centreX) / scale, (y - centreY) / scale) * scale
}
