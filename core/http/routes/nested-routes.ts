import { type NestedKind, orderedKind } from '@fogbow/plugin-sdk'
import { type Call, param, type Route } from './route.ts'
import { createdId, listOf, placedView, requestView, titleOf } from './views.ts'

/** Routes of a kind that lives inside an ordered resource, such as the security rules of a network. */
export function nestedRoutes(base: string, kind: NestedKind): Route[] {
  return kind.parents.flatMap((parentName): Route[] => {
    const parent = orderedKind(parentName)
    if (!parent) return []
    const path = `${base}/${parent.path}/{id}/${kind.path}`
    const name = `${titleOf(parent)}${titleOf(kind)}`
    const about = { tag: `${base} ${kind.path}`, needsToken: true } as const
    const place = (call: Call) => [call.context, parent.name, param(call, 'id')] as const
    return [
      {
        ...about,
        method: 'POST',
        path,
        id: `create${name}`,
        summary: `Adds a ${kind.title.toLowerCase()} to a ${parent.title.toLowerCase()}`,
        status: 201,
        request: requestView(kind),
        response: createdId,
        run: (operations, call) => operations.createSecurityRule(...place(call), call.body),
      },
      {
        ...about,
        method: 'GET',
        path,
        id: `list${name}s`,
        summary: `Lists the ${kind.title.toLowerCase()}s of a ${parent.title.toLowerCase()}`,
        status: 200,
        response: listOf(placedView(kind)),
        run: (operations, call) => operations.listSecurityRules(...place(call)),
      },
      {
        ...about,
        method: 'DELETE',
        path: `${path}/{ruleId}`,
        id: `delete${name}`,
        summary: `Removes a ${kind.title.toLowerCase()} of a ${parent.title.toLowerCase()}`,
        status: 200,
        run: (operations, call) =>
          operations.deleteSecurityRule(...place(call), param(call, 'ruleId')),
      },
    ]
  })
}
