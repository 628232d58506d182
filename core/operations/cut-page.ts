/**
 * The page that was asked for, out of rows of which one more was read: so the last page is known to be the last.
 * @param limit - everything when absent
 */
export function cutPage<Row>(
  rows: readonly Row[],
  limit: number | undefined,
  cursorOf: (row: Row) => number,
): { items: readonly Row[]; next?: string } {
  if (limit === undefined || rows.length <= limit) return { items: rows }
  const items = rows.slice(0, limit)
  const last = items.at(-1)
  return last === undefined ? { items } : { items, next: String(cursorOf(last)) }
}
