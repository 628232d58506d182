/** Suffix of the directory, and the accounts of it that tests use. */
export const SUFFIX = 'dc=example,dc=org'
export const PEOPLE = `ou=people,${SUFFIX}`
export const GROUPS = `ou=groups,${SUFFIX}`
export const SEARCHER = `cn=searcher,${SUFFIX}`
export const SEARCHER_PASSWORD = 'searcher-secret'
export const PASSWORD = 'pass*word (of) ana'

const person = (uid: string, rest: string) => `
dn: uid=${uid},${PEOPLE}
objectClass: inetOrgPerson
sn: X
userPassword: ${PASSWORD}
${rest}
`

const group = (dn: string, members: readonly string[], rest = '') => `
dn: ${dn}
objectClass: groupOfNames
${members.map((member) => `member: ${member}`).join('\n')}
${rest}
`

const ana = `uid=ana,${PEOPLE}`

/** People with all that an account can have, and groups that lead in a circle. */
export const entries = `dn: ${SUFFIX}
objectClass: dcObject
objectClass: organization
dc: example
o: Example

dn: ${SEARCHER}
objectClass: person
cn: searcher
sn: X
userPassword: ${SEARCHER_PASSWORD}

dn: ou=people,${SUFFIX}
objectClass: organizationalUnit
ou: people

dn: ou=hidden,${SUFFIX}
objectClass: organizationalUnit
ou: hidden

dn: ou=groups,${SUFFIX}
objectClass: organizationalUnit
ou: groups

dn: ou=others,${SUFFIX}
objectClass: organizationalUnit
ou: others

dn: ou=policies,${SUFFIX}
objectClass: organizationalUnit
ou: policies

dn: cn=usual,ou=policies,${SUFFIX}
objectClass: person
objectClass: pwdPolicy
cn: usual
sn: X
pwdAttribute: userPassword
pwdLockout: TRUE
pwdMaxFailure: 1000
pwdMustChange: TRUE

dn: cn=strict,ou=policies,${SUFFIX}
objectClass: person
objectClass: pwdPolicy
cn: strict
sn: X
pwdAttribute: userPassword
pwdLockout: TRUE
pwdMaxFailure: 2
pwdLockoutDuration: 0

dn: cn=short,ou=policies,${SUFFIX}
objectClass: person
objectClass: pwdPolicy
cn: short
sn: X
pwdAttribute: userPassword
pwdMaxAge: 1
${person(
  'ana',
  `cn: Ana Ångström
uid: ana
mail: ana@example.org
mail: a.angstrom@example.org
departmentNumber: physics
memberOf: cn=physics,${GROUPS}
memberOf: cn=admins,ou=others,${SUFFIX}`,
)}
${person('bob', 'cn: Bob')}
${person('smith\\, jo', 'cn: Jo Smith')}
${person('twin-1', 'cn: Twin\nmail: twin@example.org')}
${person('twin-2', 'cn: Twin\nmail: twin@example.org')}
${person('expired', `cn: Expired\npwdChangedTime: 20200101000000Z\npwdPolicySubentry: cn=short,ou=policies,${SUFFIX}`)}
${person('reset', 'cn: Reset\npwdReset: TRUE')}
${person('locked', 'cn: Locked\npwdAccountLockedTime: 000001010000Z')}
${person('lou', `cn: Lou\npwdPolicySubentry: cn=strict,ou=policies,${SUFFIX}`)}
dn: uid=eve,ou=hidden,${SUFFIX}
objectClass: inetOrgPerson
cn: Eve
sn: X
userPassword: ${PASSWORD}

dn: ou=elsewhere,${PEOPLE}
objectClass: referral
objectClass: extensibleObject
ou: elsewhere
ref: ldap://127.0.0.1:1/ou=elsewhere,${PEOPLE}
${group(`cn=physics,${GROUPS}`, [ana], `memberOf: cn=science,${GROUPS}`)}
${group(`cn=science,${GROUPS}`, [`cn=physics,${GROUPS}`, `cn=circle,${GROUPS}`], `memberOf: cn=circle,${GROUPS}`)}
${group(`cn=circle,${GROUPS}`, [`cn=science,${GROUPS}`], `memberOf: cn=science,${GROUPS}`)}
${group(`cn=admins,${GROUPS}`, [`uid=bob,${PEOPLE}`])}
${group(`cn=admins,ou=others,${SUFFIX}`, [ana])}
`

/** What slapd does not let everybody read. */
export const access = `access to attrs=userPassword by anonymous auth by * none
access to dn.subtree="ou=hidden,${SUFFIX}" by dn.exact="${SEARCHER}" read by anonymous auth by * none
access to * by * read
`
