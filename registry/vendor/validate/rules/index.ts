import { readExceptions } from '../exceptions.ts'
import type { Rule } from '../rule.ts'
import { bundleRules } from './bundle.ts'
import { configRules } from './config.ts'
import { contentRules } from './contents.ts'
import { dependencyRules } from './dependencies.ts'
import { evidenceRules } from './evidence.ts'
import { identityRules } from './identity.ts'
import { manifestRules } from './manifest.ts'
import { networkRules } from './network.ts'

/** All that is looked at. To add a rule: write it into the file of its theme, and a package that breaks it into the test. */
export const rules: readonly Rule[] = [
  ...manifestRules,
  ...configRules,
  ...networkRules,
  ...identityRules,
  ...contentRules,
  ...dependencyRules,
  ...bundleRules,
  ...evidenceRules,
  {
    name: 'exceptions-have-reasons',
    severity: 'error',
    looksAt: 'package',
    reason: 'Who reads the report must see why an exception was taken',
    remedy: 'Write `"fogbow-validate": { "ignore": { "RULE": "the reason, in a sentence" } }`',
    check: ({ fields }) => readExceptions(fields, new Set(rules.map(({ name }) => name))).problems,
  },
]
