/** As much of JSON Schema as the API document uses. */
export interface Schema {
  readonly $ref?: string
  readonly type?: string
  readonly const?: unknown
  readonly enum?: readonly unknown[]
  readonly anyOf?: readonly Schema[]
  readonly items?: Schema
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly patternProperties?: Readonly<Record<string, Schema>>
  readonly additionalProperties?: boolean
  readonly description?: string
}

/** A schema as a TypeScript type. Throws for a kind of schema it does not know, rather than guess. */
export function typeOf(schema: Schema, indent: string): string {
  if (schema.$ref !== undefined) return schema.$ref.slice(schema.$ref.lastIndexOf('/') + 1)
  if (schema.const !== undefined) return literal(schema.const)
  if (schema.enum !== undefined) return schema.enum.map(literal).join(' | ')
  if (schema.anyOf !== undefined) return schema.anyOf.map(choice => typeOf(choice, indent)).join(' | ')
  switch (schema.type) {
    case 'string':
    case 'boolean':
    case 'null':
      return schema.type
    case 'integer':
    case 'number':
      return 'number'
    case 'array':
      return `Array<${typeOf(schema.items ?? {}, indent)}>`
    case 'object':
      return objectType(schema, indent)
    default:
      throw new Error(`no type for the schema ${JSON.stringify(schema)}`)
  }
}

function objectType(
  { properties = {}, required = [], patternProperties, additionalProperties }: Schema,
  indent: string,
) {
  const [values] = Object.values(patternProperties ?? {})
  if (values !== undefined) return `{ [key: string]: ${typeOf(values, indent)} }`
  const deeper = `${indent}  `
  const fields = Object.entries(properties).map(([name, schema]) => {
    const key = `${name}${required.includes(name) ? '' : '?'}`
    return `${comment(descriptionOf(schema), deeper)}${deeper}${key}: ${typeOf(schema, deeper)}`
  })
  if (additionalProperties === true || fields.length === 0) fields.push(`${deeper}[key: string]: unknown`)
  return `{\n${fields.join('\n')}\n${indent}}`
}

/** Its own, or that of one of its choices: nullable things have theirs inside. */
export function descriptionOf({ description, anyOf = [] }: Schema): string | undefined {
  return description ?? anyOf.map(descriptionOf).find(found => found !== undefined)
}

const literal = (value: unknown) => (typeof value === 'string' ? `'${value}'` : JSON.stringify(value))

/** A doc comment on a line of its own, or nothing. */
export function comment(text: string | undefined, indent: string): string {
  return text === undefined ? '' : `${indent}/** ${text.replaceAll('*/', '* /').replaceAll(/\s+/g, ' ')} */\n`
}
