import { type FederationUser, invalid } from '@fogbow/plugin-sdk'
import {
  IMAGE_CLASS,
  instanceClassOf,
  kindOfInstanceClass,
  kindOfOrderClass,
  LIST_CLASS,
  listClasses,
  orderClassOf,
  QUOTA_CLASS,
} from './class-names.ts'
import type { Form } from './fields.ts'
import { fromJson, fromWord, toJson, toWord } from './json.ts'
import { kindOf, typeOf } from './kinds.ts'
import { clouds, image, quota, securityRule, securityRules, summaries } from './queried.ts'
import { writeUser } from './user.ts'

/** A value that travels as the text of one element. */
export interface Part {
  readonly element: string
  /** Name among the values that the caller gives, or gets. */
  readonly value: string
  /** Where a request has it: older readers and servers are used to exactly these places. */
  readonly place: 'in query' | 'before query' | 'after query'
  readonly isOptional?: boolean
  /** @returns undefined when the element is to be left out */
  write(value: unknown): string | undefined
  /** @throws invalid_parameter */
  read(text: string): unknown
}

/** A remote method of the original service. */
export interface JavaMethod {
  /** Of the `query` of a request, and its name there. */
  readonly namespace: string
  readonly type: 'get' | 'set'
  /** In the order of a request. */
  readonly request: readonly Part[]
  /** Empty: the answer has no content. */
  readonly result: readonly Part[]
}

export type JavaMethodName = keyof typeof javaMethods

const orderId = plain('orderId')
const cloudName: Part = {
  ...plain('cloudName'),
  write: (value) => toWord(String(value)),
  read: fromWord,
}
const instanceType: Part = {
  ...plain('instanceType', 'kind'),
  write: (value) => typeOf(String(value)),
  read: (text) => kindOf(fromWord(text), 'instanceType'),
}
const systemUser: Part = {
  ...json('systemUser', 'user'),
  write: (value) => toJson(writeUser(value as FederationUser)),
}
const order = [json('order'), classOfKind('orderClassName', orderClassOf, kindOfOrderClass)]
const aboutInstance = [orderId, instanceType]
const userBeside = { ...systemUser, place: 'after query' } as const

/** One entry for each method: namespace, type and layout as the original service has them, peculiarities included. */
export const javaMethods = {
  createOrder: set('remoteCreateOrder', order),
  deleteOrder: set('remoteDeleteOrder', [...aboutInstance, userBeside]),
  closeOrder: set('remoteNotifyEvent', [orderId]),
  createSecurityRule: set(
    'remoteCreateSecurityRule',
    [orderId, systemUser, formed('securityRule', securityRule)],
    // The id is an addition of ours, which readers there ignore.
    [{ ...plain('ruleId'), isOptional: true }],
  ),
  deleteSecurityRule: set('remoteDeleteSecurityRule', [cloudName, systemUser, plain('ruleId')]),
  readOrder: get('remoteGetOrder', [orderId], order),
  getQuota: get(
    'remoteGetUserQuota',
    [cloudName, systemUser],
    [formed('userQuota', quota), classOf('userQuotaClassName', QUOTA_CLASS)],
  ),
  getInstance: get(
    'remoteGetInstance',
    [{ ...systemUser, place: 'before query' }, ...aboutInstance],
    [json('instance'), classOfKind('instanceClassName', instanceClassOf, kindOfInstanceClass)],
  ),
  listImages: get(
    'remoteGetAllImages',
    [cloudName, systemUser],
    [
      formed('imageSummaryList', summaries),
      classOf('imageSummaryListClassName', LIST_CLASS, listClasses),
    ],
  ),
  getImage: get(
    'remoteGetImage',
    [cloudName, plain('imageId', 'id'), systemUser],
    [formed('image', image), classOf('imageClassName', IMAGE_CLASS)],
  ),
  listClouds: get(
    'remoteGetCloudNames',
    [systemUser],
    [formed('cloudNamesList', clouds), classOf('cloudNamesListClassName', LIST_CLASS, listClasses)],
  ),
  listSecurityRules: get(
    'remoteGetAllSecurityRules',
    [systemUser, orderId],
    [
      formed('securityRuleList', securityRules),
      // The name that the original has here, by mistake.
      classOf('imagesMapClassName', LIST_CLASS, listClasses),
    ],
  ),
  pause: set('remotePauseOrder', [...aboutInstance, userBeside]),
  hibernate: set('remoteHibernateOrder', [...aboutInstance, userBeside]),
  stop: set('remoteStopOrder', [...aboutInstance, userBeside]),
  resume: set('remoteResumeOrder', [...aboutInstance, userBeside]),
  takeSnapshot: get('remoteTakeSnapshot', [
    plain('order', 'orderId'),
    plain('snapshotName', 'name'),
    systemUser,
  ]),
} as const satisfies Record<string, JavaMethod>

export const laterActions = ['pause', 'hibernate', 'stop', 'resume'] as const
/** Of a later version. Never sent to a member unless it is known to understand it. */
export type LaterMethod = (typeof laterActions)[number] | 'takeSnapshot'

function get(
  namespace: string,
  request: readonly Part[],
  result: readonly Part[] = [],
): JavaMethod {
  return { namespace, type: 'get', request, result }
}

function set(
  namespace: string,
  request: readonly Part[],
  result: readonly Part[] = [],
): JavaMethod {
  return { namespace, type: 'set', request, result }
}

function plain(element: string, value = element): Part {
  const write = (given: unknown) => (given == null ? undefined : String(given))
  return { element, value, place: 'in query', write, read: (text) => text }
}

function json(element: string, value = element): Part {
  return { ...plain(element, value), write: toJson, read: (text) => fromJson(text, element) }
}

function formed(element: string, form: Form): Part {
  return {
    ...plain(element, 'value'),
    write: (value) => toJson(form.write(value)),
    read: (text) => form.read(fromJson(text, element), element),
  }
}

function classOfKind(
  element: string,
  classOf: (kind: string) => string,
  kindWith: (name: string, at: string) => string,
): Part {
  return {
    ...plain(element, 'kind'),
    write: (kind) => classOf(String(kind)),
    read: (text) => kindWith(text, element),
  }
}

function classOf(
  element: string,
  name: string,
  allowed: ReadonlySet<string> = new Set([name]),
): Part {
  return {
    ...plain(element, 'className'),
    isOptional: true,
    write: () => name,
    read(text) {
      if (!allowed.has(text.trim())) throw invalid(element, 'is not a class of the protocol')
      return text
    },
  }
}
