import { reportFile } from '../../../trust/conformance-report.ts'
import { problemOfVendorSignature, signatureFile } from '../../../trust/vendor-signature.ts'
import { digestsOf, problemOfReportText, sbomOf } from '../../pack/pack-plugin.ts'
import { sbomFile } from '../../pack/packed-files.ts'
import type { Finding, Rule } from '../rule.ts'
import { type Subject, toObject } from '../subject.ts'

const onlyTarballs = { skip: 'a folder has none; look at the tarball that pack makes' }

function parse(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? '')
  } catch {
    return undefined
  }
}

function ofTarball(check: (subject: Subject) => Finding | Promise<Finding>): Rule['check'] {
  return (subject) => (subject.isTarball ? check(subject) : onlyTarballs)
}

export const evidenceRules: readonly Rule[] = [
  {
    name: 'signature-present',
    severity: 'error',
    looksAt: 'package',
    reason: 'Sites that know your key trust what it signed, wherever it comes from',
    remedy: 'Make the tarball with: fogbow-plugin pack --key FILE',
    check: ofTarball(({ files }) =>
      files.has(signatureFile) ? [] : [`there is no ${signatureFile}`],
    ),
  },
  {
    name: 'signature-valid',
    severity: 'error',
    looksAt: 'package',
    reason: 'A signature that does not hold is worse than none: every site refuses it',
    remedy: 'Pack it anew, and change no file afterwards',
    check: ofTarball(({ files, text, key, fields }) => {
      if (!files.has(signatureFile)) return { skip: 'it brings none' }
      if (!key) return { skip: 'whose it must be was not said (--key)' }
      const name = String(fields.name)
      const version = String(fields.version)
      const signed = { name, version, files: digestsOf(files) }
      const written = toObject(parse(text(signatureFile)))
      // For which sites it was made is theirs to look at.
      const [site = ''] = Array.isArray(written.sites) ? written.sites.map(String) : []
      const problem = problemOfVendorSignature(written, signed, [key], site)
      return problem === undefined ? [] : [problem]
    }),
  },
  {
    name: 'sbom-present',
    severity: 'warning',
    looksAt: 'package',
    reason: 'Plans show what a new version brings along before it is installed',
    remedy: 'Make the tarball with: fogbow-plugin pack --key FILE',
    check: ofTarball(({ files }) => (files.has(sbomFile) ? [] : [`there is no ${sbomFile}`])),
  },
  {
    name: 'sbom-agrees',
    severity: 'error',
    looksAt: 'bundle',
    reason: 'A bill of materials that is wrong hides what is in the bundle',
    remedy:
      'Pack it anew with the dependencies that a site will get: npm update, fogbow-plugin pack',
    check: ofTarball(async (subject) => {
      if (!subject.files.has(sbomFile)) return { skip: 'it brings none' }
      const built = await subject.build().catch(() => undefined)
      if (!built) return { skip: 'it has no bundle' }
      const isSame = JSON.stringify(parse(subject.text(sbomFile))) === JSON.stringify(sbomOf(built))
      return isSame ? [] : [`${sbomFile} is not what a site finds in the bundle`]
    }),
  },
  {
    name: 'report-agrees',
    severity: 'error',
    looksAt: 'bundle',
    reason: 'A conformance report of another bundle, or with a failure, speaks against the plugin',
    remedy: 'npm update, then test it again with --report, and pack it anew',
    check: ofTarball(async (subject) => {
      const text = subject.text(reportFile)
      if (text === undefined) return { skip: 'it brings none' }
      const built = await subject.build().catch(() => undefined)
      if (!built) return { skip: 'it has no bundle' }
      const problem = problemOfReportText(text, built.plugin)
      return problem === undefined ? [] : [`${reportFile}: ${problem}`]
    }),
  },
]
