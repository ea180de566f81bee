import { proxyOptions } from '../../config/options/datapath.ts'
import type { DatapathStatus, PlaceStatus } from '../../datapath/status.ts'
import { configRoutes } from '../config-routes.ts'
import { reconcilerRoutes } from '../datapath-routes.ts'
import { BadQuestion, type ManagementRoutes } from '../management.ts'
import type { ProxyValues } from '../proxy-config.ts'
import { type Databases, waitedFor } from './databases.ts'
import type { ServedChassis } from './serve-chassis.ts'
import { ovnStatusRoute } from './status-route.ts'

const QUESTIONS = ['GET /datapath/status', 'GET /datapath/plan', 'GET /config', 'PUT /config'] as const

/** What can be asked of a daemon on a chassis at any time. What only the databases tell is answered once they are known, and
 *  until then with what is waited for.
 *  @param others  what the status tells besides */
export function chassisRoutes(
  served: ServedChassis,
  databases: Databases,
  configure: (values: ProxyValues) => Promise<readonly string[]>,
  others: () => readonly PlaceStatus[] = () => [],
): ManagementRoutes {
  const routes = (): ManagementRoutes => {
    const { datapath } = served
    if (datapath === undefined) throw new BadQuestion(waitedFor(databases))
    const ofNamespaces = reconcilerRoutes(datapath.reconciler, () => waitedFor(databases))
    return {
      ...ofNamespaces,
      'GET /datapath/status': async (asked) => {
        const status = (await ofNamespaces['GET /datapath/status']?.(asked)) as DatapathStatus | null
        return status && { ...status, others: [...status.others, ...others()] }
      },
      ...configRoutes({ values: datapath.values, configure }, proxyOptions),
    }
  }
  return {
    ...ovnStatusRoute(() => served.datapath?.chassisName, databases),
    ...Object.fromEntries(
      QUESTIONS.map((question) => [question, async (asked: unknown) => routes()[question]?.(asked)]),
    ),
  }
}
