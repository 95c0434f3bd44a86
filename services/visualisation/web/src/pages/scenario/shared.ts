/** The id of a scenario in what somebody pasted: a link to it, its share id, or its own id; null for anything else. */
export function sharedId(text: string): string | null {
  const last = /\/scenarios\/([^/?#\s]+)/.exec(text)?.[1] ?? text.trim();
  return /^(share-[\w-]{16,}|[0-9a-f]{8}-[0-9a-f-]{27})$/.test(last) ? last : null;
}
