/** How persons are numbered; the exchange holds the same rule. */
export function isPersonId(id: string): boolean {
  return /^urn:dmi:person:[a-z0-9][a-z0-9-]{0,60}$/.test(id);
}
