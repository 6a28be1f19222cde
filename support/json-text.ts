/** A value as a JSON document for people and programs: indented by two blanks, with a line feed at the end. */
export const jsonText = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`
