/** Where a security rule is. */
export interface RulePlace {
  readonly kind: string
  readonly orderId: string
}

/**
 * The original service deletes a security rule without naming the order that it belongs to. What a member may delete is
 * therefore what it was told of before, in a list or when it made the rule.
 */
export interface KnownRules {
  remember(member: string, ruleId: string, place: RulePlace): void
  placesOf(member: string, ruleId: string): readonly RulePlace[]
}

const keyOf = (member: string, ruleId: string) => JSON.stringify([member, ruleId])

/** @param most - rules remembered at a time; the one heard of longest ago is forgotten first */
export function createKnownRules(most = 10_000): KnownRules {
  const known = new Map<string, RulePlace[]>()
  return {
    remember(member, ruleId, place) {
      const key = keyOf(member, ruleId)
      const others = (known.get(key) ?? []).filter(({ orderId }) => orderId !== place.orderId)
      known.delete(key)
      known.set(key, [place, ...others])
      for (const oldest of known.keys()) {
        if (known.size <= most) break
        known.delete(oldest)
      }
    },
    placesOf: (member, ruleId) => known.get(keyOf(member, ruleId)) ?? [],
  }
}
