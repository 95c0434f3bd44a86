/** Names of the project's own vocabulary: short in documents that are made here, whole IRIs in those of the Dataspace Protocol. */
/** Ids that stand whole in documents too. */
const whole = /^urn:dmi:(dataset|participant|person|party|listing):/;

/** A name of the project's own vocabulary with its prefix in place of the IRI, wherever it stands in a value. */
export function compacted<T>(value: T): T {
  return turned(value, (text) => (text.startsWith('urn:dmi:') && !whole.test(text) ? text.slice('urn:'.length) : text));
}

/** The other way round. */
export function spelledOut<T>(value: T): T {
  return turned(value, (text) => (text.startsWith('dmi:') ? `urn:${text}` : text));
}

function turned<T>(value: T, change: (text: string) => string): T {
  if (typeof value === 'string') return change(value) as T;
  if (Array.isArray(value)) return value.map((one: unknown) => turned(one, change)) as T;
  if (value !== null && typeof value === 'object') return Object.fromEntries(Object.entries(value).map(([key, one]) => [change(key), turned(one as unknown, change)])) as T;
  return value;
}
